// Saves the flicker: the form is posted in the background, and what changed on the page is put in place.
// Without it, or when anything goes wrong, the browser posts the form as it would anyhow.
"use strict";

const PARTS = ["result", "log", "endpoint"];

async function shown(response) {
  const text = await response.text();
  const page = new DOMParser().parseFromString(text, "text/html");
  if (!response.ok || !PARTS.every((id) => page.getElementById(id))) throw new Error("another page");
  for (const id of PARTS) document.getElementById(id).replaceWith(page.getElementById(id));
  document.querySelector(".state").replaceWith(page.querySelector(".state"));
  document.title = page.title;
}

async function signIn(event) {
  event.preventDefault();
  const form = event.currentTarget;
  const button = form.querySelector("button");
  const waiting = document.getElementById("waiting");
  button.disabled = true;
  form.setAttribute("aria-busy", "true");
  waiting.textContent = "Signing in …";
  try {
    const body = new URLSearchParams(new FormData(form));
    const response = await fetch(form.action, { method: "POST", body });
    await shown(response);
    history.pushState(null, "", response.url);
    document.querySelector("#result h1").focus({ preventScroll: true });
    document.getElementById("result").scrollIntoView({ block: "nearest" });
  } catch {
    form.submit();
    return;
  } finally {
    button.disabled = false;
    form.removeAttribute("aria-busy");
    waiting.textContent = "";
  }
}

document.getElementById("choose")?.addEventListener("submit", signIn);
addEventListener("popstate", () => location.reload());

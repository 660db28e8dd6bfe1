// Posts the form in the background and replaces the changed parts of the page, without reloading it.
// Without this script, or after an error in it, the browser posts the form normally.
"use strict";

const PARTS = ["result", "log", "endpoint"];

async function show(response) {
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
    await show(response);
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

// The least contrast of the page's text by WCAG 2.2, section 1.4.3: what is read over what is behind it.
() => {
  const channels = (color) => color.match(/[\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const seen = new Map();
  const behind = (element) => {
    if (!element) return channels(getComputedStyle(document.documentElement).backgroundColor);
    if (!seen.has(element)) {
      const color = channels(getComputedStyle(element).backgroundColor);
      if (color.length === 4 && color[3] % 1 !== 0) throw new Error(`half transparent: ${element.tagName}`);
      seen.set(element, color[3] === 0 ? behind(element.parentElement) : color);
    }
    return seen.get(element);
  };
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const words = [...element.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data.trim()).join("");
    const style = getComputedStyle(element);
    if (!words || style.clipPath !== "none" || !element.getClientRects().length || element.closest("desc, svg > title")) continue;
    const inPicture = element.closest("svg") !== null;
    const color = channels(inPicture ? style.fill : style.color);
    const [a, b] = [light(color), light(behind(inPicture ? element.closest("svg").parentElement : element))];
    found.push({ ratio: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), words: words.slice(0, 40) });
  }
  return found.sort((x, y) => x.ratio - y.ratio);
}

// Comfort for those whose browser runs scripts; every page works without it.
"use strict";

// "/" goes to the search box.
const find = document.getElementById("find");
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey || !find) return;
  event.preventDefault();
  find.focus();
  find.select();
});

// <input data-suggest="/v1/items" list="some-datalist">: titles while one types.
for (const input of document.querySelectorAll("input[data-suggest]")) {
  let waiting = 0;
  let asked = "";
  const suggest = async () => {
    const text = input.value.trim();
    if (text.length < 2 || text === asked) return;
    asked = text;
    const query = new URLSearchParams({ q: text, k: 8 });
    try {
      const answer = await fetch(`${input.dataset.suggest}?${query}`);
      if (!answer.ok || text !== asked) return;
      const found = (await answer.json()).items.map((item) => {
        const option = document.createElement("option");
        option.value = item.title;
        return option;
      });
      input.list.replaceChildren(...found);
    } catch {
      // The server is away: suggestions are a comfort, and the form itself says so.
    }
  };
  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(suggest, 180);
  });
}

// <button data-copy="id-of-an-element" hidden>: copies its text; shown only where it can.
for (const button of document.querySelectorAll("button[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  const label = button.textContent;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = label), 2000);
  });
}

// <p data-again>: what it says is not whole yet, so the page is read again.
if (document.querySelector("[data-again]")) setTimeout(() => location.reload(), 1500);

// <form data-confirm="What is about to happen">: asks before it is sent.
for (const form of document.querySelectorAll("form[data-confirm]")) {
  form.addEventListener("submit", (event) => {
    if (!window.confirm(form.dataset.confirm)) event.preventDefault();
  });
}

// <form data-live>: sent as soon as a field is changed; its button is not needed then.
for (const form of document.querySelectorAll("form[data-live]")) {
  for (const button of form.querySelectorAll("button")) button.hidden = true;
  form.addEventListener("change", () => form.requestSubmit());
}

// <input type="range"> with <output for="its id">: the number beside the dial.
for (const output of document.querySelectorAll("output[for]")) {
  const input = document.getElementById(output.htmlFor.value);
  input.addEventListener("input", () => (output.value = input.value));
}

// <form data-swap="ids of parts">: while it is dialled, these parts are taken from the page that it
// would lead to. Of a form among them only where it is sent changes, so nothing typed is lost.
for (const form of document.querySelectorAll("form[data-swap]")) {
  let waiting = 0;
  let newest = 0;
  const button = form.querySelector("button"); // sends it by hand, where that is all that works
  const swap = async () => {
    const mine = ++newest;
    const fields = [...new FormData(form)].filter(([, value]) => value !== "");
    const address = `${form.action.split(/[?#]/)[0]}?${new URLSearchParams(fields)}`;
    try {
      const answer = await fetch(address);
      button.hidden = answer.ok;
      if (!answer.ok || mine !== newest) return;
      const next = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (mine !== newest) return;
      for (const id of form.dataset.swap.split(" ")) {
        const here = document.getElementById(id);
        const there = next.getElementById(id);
        if (!here || !there) continue;
        if (here.tagName === "FORM") here.action = there.getAttribute("action");
        else here.replaceChildren(...there.childNodes);
      }
      history.replaceState(null, "", address);
    } catch {
      button.hidden = false;
    }
  };
  button.hidden = true;
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(swap, 120);
  });
}

// Filters tests, follows runs, and lets keys do what buttons do. Every page reads well without it.
(() => {
  const all = (what, within = document) => [...within.querySelectorAll(what)];
  const tests = document.querySelector("#tests");
  const filter = document.querySelector("#filter");
  const shown = document.querySelector("#shown");

  const sift = () => {
    if (!filter) return;
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const outcome = document.querySelector("input[name=outcome]:checked").value;
    let count = 0;
    for (const test of tests.children) {
      const said = test.textContent.toLowerCase();
      const fits = (outcome === "all" || test.dataset.outcome === outcome) && words.every((word) => said.includes(word));
      test.hidden = !fits;
      count += fits ? 1 : 0;
    }
    shown.textContent = count === tests.children.length ? "" : `${count} of ${tests.children.length} shown`;
  };
  if (filter) {
    document.querySelector(".filter").hidden = false;
    filter.addEventListener("input", sift);
    all("input[name=outcome]").forEach((choice) => choice.addEventListener("change", sift));
  }

  const live = document.querySelector("[data-live]");
  if (live) {
    const source = new EventSource(live.dataset.live);
    const now = document.querySelector("#now");
    const progress = document.querySelector("#progress");
    source.addEventListener("test", (event) => {
      tests.insertAdjacentHTML("beforeend", event.data);
      progress.value = tests.children.length;
      sift();
    });
    source.addEventListener("note", (event) => document.querySelector("#notes").insertAdjacentHTML("beforeend", event.data));
    source.addEventListener("now", (event) => (now.innerHTML = event.data));
    source.addEventListener("end", () => {
      source.close();
      location.reload();
    });
    source.addEventListener("runs", () => location.reload());
    // A page that is left behind need not be told anything.
    addEventListener("pagehide", () => source.close());
    addEventListener("pageshow", (event) => event.persisted && location.reload());
  }

  const rows = () => all(".card, .tests li:not([hidden]), .list tbody tr");
  let place = -1;
  const move = (by) => {
    const list = rows();
    if (!list.length) return;
    place = Math.min(Math.max(place + by, 0), list.length - 1);
    const row = list[place];
    (row.matches(".card") ? row : row.querySelector("a") || row).focus();
    row.scrollIntoView({ block: "nearest" });
  };
  const press = (what) => {
    const card = document.activeElement.closest(".card") || document.querySelector(".card.open");
    const button = card && card.querySelector(`button[value=${what}]`);
    if (button) button.click();
  };
  let led = false;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.matches("input[type=search]");
    if (event.key === "Escape" && typing) event.target.blur();
    if (typing) return;
    if (led) {
      led = false;
      const link = all("[data-key]").find((link) => link.dataset.key === event.key);
      if (link) link.click();
      return;
    }
    const undo = document.querySelector(".undo button");
    const keys = {
      "/": () => (filter || document.querySelector("#find")).focus(),
      g: () => (led = true),
      j: () => move(1),
      k: () => move(-1),
      a: () => press("accept"),
      i: () => press("ignore"),
      r: () => press("reject"),
      u: () => undo && undo.click(),
    };
    if (keys[event.key]) {
      event.preventDefault();
      keys[event.key]();
    }
  });

  document.addEventListener("click", async (event) => {
    if (!event.target.matches("button.copy")) return;
    const text = event.target.previousElementSibling;
    getSelection().selectAllChildren(text);
    try {
      await navigator.clipboard.writeText(text.textContent);
    } catch {
      document.execCommand("copy");
    }
    event.target.textContent = "Copied";
  });
})();

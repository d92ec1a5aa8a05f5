// Filters the tests and copies commands. The page reads well without it.
(() => {
  const tests = [...document.querySelectorAll("details.test")];
  // Made when it is asked for first: a page may have ten thousand tests.
  let said;
  const search = document.querySelector("#search");
  const shown = document.querySelector("#shown");
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const outcome = document.querySelector("input[name=outcome]:checked").value;
    said ??= new Map(tests.map((test) => [test, test.firstElementChild.textContent.toLowerCase()]));
    let count = 0;
    for (const test of tests) {
      const fits = (outcome === "all" || test.dataset.outcome === outcome) && words.every((word) => said.get(test).includes(word));
      test.hidden = !fits;
      count += fits ? 1 : 0;
    }
    // A block knows how high it was when all of its tests were shown.
    document.querySelector("main").classList.toggle("filtered", count < tests.length);
    shown.textContent = count === tests.length ? "" : `${count} of ${tests.length} shown`;
  };
  search.addEventListener("input", filter);
  document.querySelectorAll("input[name=outcome]").forEach((choice) => choice.addEventListener("change", filter));
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== search) {
      event.preventDefault();
      search.focus();
    }
  });
  const copy = async (button) => {
    const text = button.previousElementSibling;
    getSelection().selectAllChildren(text);
    try {
      await navigator.clipboard.writeText(text.textContent);
    } catch {
      document.execCommand("copy");
    }
    button.textContent = "Copied";
  };
  document.addEventListener("click", (event) => {
    const { find } = event.target.dataset;
    if (find) {
      search.value = find;
      filter();
      search.scrollIntoView();
    } else if (event.target.matches("button.copy")) {
      copy(event.target);
    }
  });
  // Of a large page, what is folded becomes elements when it is unfolded.
  document.addEventListener("toggle", (event) => {
    const kept = event.target.lastChild;
    if (kept?.nodeType === Node.COMMENT_NODE) {
      const body = document.createElement("div");
      body.className = "body";
      body.innerHTML = kept.data;
      kept.replaceWith(body);
    }
  }, true);
  document.querySelector(".filter").hidden = false;
})();

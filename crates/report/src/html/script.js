// Filters the tests and copies commands. The page reads well without it.
(() => {
  const tests = [...document.querySelectorAll("details.test")];
  const said = new Map(tests.map((test) => [test, test.firstElementChild.textContent.toLowerCase()]));
  const search = document.querySelector("#search");
  const shown = document.querySelector("#shown");
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const outcome = document.querySelector("input[name=outcome]:checked").value;
    let count = 0;
    for (const test of tests) {
      const fits = (outcome === "all" || test.dataset.outcome === outcome) && words.every((word) => said.get(test).includes(word));
      test.hidden = !fits;
      count += fits ? 1 : 0;
    }
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
  document.querySelector(".filter").hidden = false;
})();

/* Comfort only: every page works without this file. */
(() => {
  document.querySelectorAll("[data-mr-show]").forEach((line) => {
    line.hidden = false;
  });

  document.querySelectorAll("[data-mr-toggle]").forEach((box) => {
    const field = document.getElementById(box.dataset.mrToggle);
    box.addEventListener("change", () => {
      field.type = box.checked ? "text" : "password";
    });
    // A password that is shown would be kept by the browser as ordinary form data.
    field.form.addEventListener("submit", () => {
      field.type = "password";
    });
  });

  const CHECKS = {
    length: (text, least) => [...text].length >= least,
    numeric: (text) => text !== "" && !/^\p{Nd}+$/u.test(text),
  };
  const field = document.getElementById("id_new_password1");
  const rules = document.getElementById("password-rules");
  if (field && rules) {
    const items = [...rules.querySelectorAll("[data-mr-check]")].map((item) => {
      const state = document.createElement("span");
      state.className = "mr-unseen";
      item.append(" ", state);
      return { item, state };
    });
    const judge = () => {
      items.forEach(({ item, state }) => {
        const met = CHECKS[item.dataset.mrCheck](field.value, Number(item.dataset.mrValue));
        item.dataset.mrState = met ? "met" : "unmet";
        state.textContent = `(${met ? rules.dataset.mrMet : rules.dataset.mrUnmet})`;
      });
    };
    field.addEventListener("input", judge);
    judge();
  }

  document.querySelector("[data-mr-focus]")?.focus();
})();

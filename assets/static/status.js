// What the page of a ceremony says meanwhile, and whether its button is busy.

/** Says how far a ceremony is, or what is wrong. */
export function say(told, fault = "") {
  document.getElementById("status").textContent = told;
  document.getElementById("alert").textContent = fault;
}

/** A busy button keeps the focus, which `disabled` would drop. */
export function setBusy(button, on) {
  button.setAttribute("aria-disabled", String(on));
}

export const isBusy = (button) => button.getAttribute("aria-disabled") === "true";

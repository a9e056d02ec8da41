/* Where the library is not for everybody: a token opens it, and a cookie that scripts cannot read keeps it open. */

import { send } from "./api.js";
import { fill, h } from "./dom.js";
import { again } from "./routes.js";

/** Ask for the token in place of the room. */
export function showLogin(main) {
  const token = h("input", { type: "password", id: "token", autocomplete: "current-password", required: true });
  const wrong = h("p", { class: "error", role: "alert" });
  const form = h("form", { class: "login", onsubmit: async (event) => {
    event.preventDefault();
    wrong.textContent = "";
    try {
      await send("session", { token: token.value });
      again();
    } catch (error) {
      wrong.textContent = error.status === 401 || error.status === 403 ? "That is not the token." : error.message;
      token.select();
    }
  } },
  h("label", { for: "token" }, "Token"), token, h("button", { type: "submit", class: "button main" }, "Enter"), wrong);
  fill(main, h("div", { class: "hero" }, h("h1", {}, "Who is there?"),
    h("p", {}, "This library asks for the token that ", h("code", {}, "soundalike serve"), " was started with."), form));
  token.focus();
}

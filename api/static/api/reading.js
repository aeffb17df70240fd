"use strict";

// The theme is the console's, which keeps what somebody has chosen.
const chosen = localStorage.getItem("theme");
const isDark = chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
document.documentElement.classList.toggle("dark-mode", isDark);

const page = document.getElementById("interface");
SwaggerUIBundle({
  url: page.dataset.description,
  domNode: page,
  layout: "BaseLayout",
  presets: [SwaggerUIBundle.presets.apis],
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  // Nobody else is asked whether the description is right.
  validatorUrl: null,
  // The cookie of the session goes along by itself; whatever changes anything needs the session's token, too.
  requestInterceptor(request) {
    if (new URL(request.url, location).origin === location.origin) request.headers["X-CSRFToken"] = page.dataset.token;
    return request;
  },
});

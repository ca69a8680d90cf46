--- What KOReader's plugin list says about BookLore Sync.
local _ = require("gettext")

return {
    fullname = _("BookLore Sync"),
    description = _("Sends your reading sessions to your own BookLore or Grimmory library."),
    version = "0.1.0",
}

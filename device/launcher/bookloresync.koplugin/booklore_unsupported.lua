--- The plugin on a device that cannot run the worker: one menu entry that says why, and nothing else.
--
-- Never records, since nothing could ever send it. Called by main.lua instead of the plugin proper.

local InfoMessage = require("ui/widget/infomessage")
local UIManager = require("ui/uimanager")
local WidgetContainer = require("ui/widget/container/widgetcontainer")
local logger = require("logger")
local _ = require("gettext")

return function(reason)
    logger.warn("BookLore Sync:", reason)
    local Unsupported = WidgetContainer:extend({ name = "bookloresync", is_doc_only = false })

    function Unsupported:init()
        self.ui.menu:registerToMainMenu(self)
    end

    function Unsupported:addToMainMenu(menu_items)
        menu_items.bookloresync = {
            text = _("BookLore Sync"),
            sorting_hint = "tools",
            callback = function() UIManager:show(InfoMessage:new({ text = reason })) end,
        }
    end

    return Unsupported
end

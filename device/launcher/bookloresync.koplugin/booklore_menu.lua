--- The menu entry: draws the model that the worker wrote, and sends taps back as jobs.
--
-- Promises: knows no setting and no text of the worker's; reads the model anew each time the menu opens. Never starts
-- anything by itself. Called by main.lua. Law: docs/protocol.md, "Menu model".

local Json = require("booklore_json")
local _ = require("gettext")
local T = require("ffi/util").template

local FORMAT_VERSION = 1
local MODEL_LIMIT_BYTES = 256 * 1024 -- some hundred entries, far more than a menu of this kind has

local Menu = {}
Menu.__index = Menu

--- @param deps table
--   path   string, the model's file
--   tap    fn(verb, label)
function Menu:new(deps)
    return setmetatable({ deps = deps }, self)
end

--- KOReader's description of our entry in the tools menu.
function Menu:entry()
    return {
        text = _("BookLore Sync"),
        sorting_hint = "tools",
        sub_item_table_func = function() return self:_items() end,
    }
end

function Menu:_items()
    local model = Json.read(self.deps.path, MODEL_LIMIT_BYTES)
    if not model then return { self:_action("status", _("Status")) } end
    if model.version ~= FORMAT_VERSION then
        local text = T(_("menu.json has version %1, please update the plugin."), tostring(model.version))
        return { self:_action("status", _("Status")), { text = text, enabled = false } }
    end
    local items = {}
    for _, item in ipairs(type(model.items) == "table" and model.items or {}) do
        items[#items + 1] = self:_item(item)
    end
    return items
end

function Menu:_item(item)
    if type(item) ~= "table" or type(item.label) ~= "string" then return nil end
    local help = type(item.help) == "string" and item.help or nil
    -- The verb becomes part of a command line.
    if item.kind == "action" and type(item.verb) == "string" and item.verb:find("^%l+$") then
        local entry = self:_action(item.verb, item.label)
        entry.enabled, entry.help_text = item.enabled ~= false, help
        return entry
    end
    return { text = item.label, enabled = false, help_text = help }
end

function Menu:_action(verb, label)
    return { text = label, callback = function() self.deps.tap(verb, label) end }
end

return Menu

--- KOReader's menu as far as a plugin feels it: lists in lists, marks, and what stays on screen after a tap.
--
-- Promises: shows what was true when it was drawn last, so a mark that nobody redraws is stale; a tap on a disabled
-- line or an empty submenu does nothing; after a tap the menu closes, unless the line has a mark or asks to stay; no
-- error is caught. Used by menu_spec. Written from the behaviour of KOReader's TouchMenu (August 2026).

local TouchMenu = {}
TouchMenu.__index = TouchMenu

--- Opens the menu and taps on the plugin's entry.
--- @param entry table as given to KOReader's main menu
function TouchMenu:new(entry)
    local menu = setmetatable({ is_open = true, item_table = { entry }, stack = {} }, self)
    menu:updateItems()
    menu:tap(entry.text)
    return menu
end

local function is_enabled(item)
    if item.enabled_func then return item.enabled_func() ~= false end
    return item.enabled ~= false
end

local function text_of(item)
    return item.text_func and item.text_func() or item.text
end

local function drawn(item)
    local mark = ""
    if item.checked_func then
        local checked = item.checked_func()
        mark = item.radio and (checked and "(o) " or "( ) ") or (checked and "[x] " or "[ ] ")
    end
    return (is_enabled(item) and "" or "- ") .. mark .. text_of(item) .. (item.sub_item_table and " >" or "")
end

function TouchMenu:updateItems()
    assert(self.is_open, "a closed menu was redrawn")
    self.lines = {}
    for index, item in ipairs(self.item_table) do self.lines[index] = drawn(item) end
end

function TouchMenu:closeMenu()
    self.is_open = false
end

--- What is on screen, line by line.
function TouchMenu:shows()
    return table.concat(self.lines, "\n")
end

function TouchMenu:item(text)
    for _, item in ipairs(self.item_table) do
        if text_of(item) == text then return item end
    end
    error("no line says " .. text .. ", but\n" .. self:shows(), 2)
end

function TouchMenu:tap(text)
    assert(self.is_open, "the menu is closed")
    local item = self:item(text)
    if not is_enabled(item) then return end
    local list = item.sub_item_table_func and item.sub_item_table_func() or item.sub_item_table
    if list then
        if #list > 0 then
            table.insert(self.stack, self.item_table)
            self.item_table = list
            self:updateItems()
        end
        return
    end
    if not item.callback then return end
    item.callback(self)
    if item.checked_func then
        self:updateItems()
    elseif not item.keep_menu_open then
        self:closeMenu()
    end
end

function TouchMenu:back()
    self.item_table = table.remove(self.stack)
    self:updateItems()
end

return TouchMenu

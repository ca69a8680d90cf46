--- The menu entry: draws the model that the worker wrote, and sends taps back as jobs.
--
-- Promises: knows no setting and no text of the worker's; reads the model anew each time the entry opens; shows at once
-- what a tap has changed. An item that lacks what its kind needs is shown as text. Never starts anything by itself,
-- never raises: KOReader catches no error of a menu. Called by main.lua. Law: docs/protocol.md, "Menu model".

local Json = require("booklore_json")
local _ = require("gettext")
local T = require("ffi/util").template

local FORMAT_VERSION = 1
local MODEL_LIMIT_BYTES = 256 * 1024 -- some hundred entries, far more than a menu of this kind has
local ITEM_LIMIT = 500 -- in all lists together; more than that nobody pages through
local MENU_DEPTH_LIMIT = 3 -- menus inside each other; KOReader's own go to six
local DECIMALS_LIMIT = 3 -- of a number that the reader picks

local Menu = {}
Menu.__index = Menu

--- @param deps table
--   path       string, the model's file
--   open_book  fn → string|nil, absolute path of the book that is open
--   busy       fn → boolean, whether what was tapped for may not be done yet
--   is_verb    fn(text) → boolean
--   tap        fn(verb, arguments|nil, label|nil); a label is said aloud
--   ask        fn(text, on_yes)
--   pick       fn(number, on_value), number being {title, value, least, most, step, precision, unit}
--   log_error  fn(text)
function Menu:new(deps)
    return setmetatable({ deps = deps, tapped = {} }, self)
end

--- KOReader's description of our entry in the tools menu.
function Menu:entry()
    return {
        text = _("BookLore Sync"),
        sorting_hint = "tools",
        sub_item_table_func = function() return self:_guarded(self._open)(self) or { self:_ask_for_status() } end,
    }
end

function Menu:_open()
    local model = Json.read(self.deps.path, MODEL_LIMIT_BYTES)
    if not model then return { self:_ask_for_status() } end
    if model.version ~= FORMAT_VERSION then
        local text = T(_("menu.json has version %1, please update the plugin."), tostring(model.version))
        return { self:_ask_for_status(), { text = text, enabled = false } }
    end
    -- While the worker is busy the model may be older than the last tap.
    if not self.deps.busy() then self.tapped = {} end
    self.items_left = ITEM_LIMIT
    local list = self:_list(model.items, 0)
    return #list > 0 and list or { self:_ask_for_status() } -- KOReader does not open a list of nothing
end

function Menu:_ask_for_status()
    local label = _("Status")
    return { text = label, callback = self:_guarded(function() self.deps.tap("status", nil, label) end) }
end

--- @param depth number how many menus are around this list
function Menu:_list(items, depth)
    local list, questions = {}, {}
    for _, item in ipairs(type(items) == "table" and items or {}) do
        if self.items_left == 0 then break end
        if type(item) == "table" and type(item.label) == "string" and self:_is_needed(item) then
            self.items_left = self.items_left - 1
            list[#list + 1] = self:_item(item, { depth = depth, questions = questions })
        end
    end
    return list
end

function Menu:_is_needed(item)
    local needs = Json.present(item.needs)
    return needs == nil or (needs == "book" and self.deps.open_book() ~= nil)
end

-- ------------------------------------------------------------------------------------------------ one item

-- What KOReader shows for each kind: fn(menu, item, place) → entry, or nil if the item lacks what its kind needs.
local DRAW = {}

function Menu:_item(item, place)
    local entry = DRAW[item.kind] and DRAW[item.kind](self, item, place) or { enabled = false }
    if not entry.text_func then entry.text = item.label end
    entry.enabled = entry.enabled ~= false and item.enabled ~= false
    entry.help_text = type(item.help) == "string" and item.help or nil
    return entry
end

function DRAW.menu(menu, item, place)
    if place.depth == MENU_DEPTH_LIMIT then return nil end
    local list = menu:_list(item.items, place.depth + 1)
    return { sub_item_table = list, enabled = #list > 0 }
end

function DRAW.action(menu, item)
    local order, question = menu:_order(item), Json.present(item.confirm)
    if not order then return nil end
    local function send() menu.deps.tap(order.verb, order.arguments, item.label) end
    if question == nil then return { callback = menu:_guarded(send) } end
    if type(question) ~= "string" then return nil end -- what is to be confirmed is not done without
    return { keep_menu_open = true, callback = menu:_guarded(function(touch_menu)
        menu.deps.ask(question, menu:_guarded(function()
            if touch_menu then touch_menu:closeMenu() end
            send()
        end))
    end) }
end

function DRAW.toggle(menu, item)
    local order = menu:_order(item)
    if not order then return nil end
    local checked = menu:_as_tapped(order, item.checked == true and not menu:_lists_open_book(item.unchecked_for))
    return {
        checked_func = function() return checked end,
        callback = menu:_guarded(function()
            checked = not checked
            menu:_change(order, checked, "on")
        end),
    }
end

--- Choices of one list that differ only in their argument `value` are the answers to one question.
function DRAW.choice(menu, item, place)
    local order = menu:_order(item)
    if not order then return nil end
    local choice = { order = order, checked = menu:_as_tapped(order, item.checked == true) }
    local question = Json.flat(order.arguments or {})
    question.value = nil
    local key = item.verb .. tostring(Json.sorted(question))
    local answers = place.questions[key] or {}
    place.questions[key] = answers
    table.insert(answers, choice)
    return {
        radio = true,
        checked_func = function() return choice.checked end,
        callback = menu:_guarded(function()
            for _, other in ipairs(answers) do
                other.checked = other == choice
                menu.tapped[other.order.key] = other.checked
            end
            menu.deps.tap(order.verb, order.arguments or {})
        end),
    }
end

--- The format in which each of these numbers shows all of its decimals.
local function precision_for(...)
    local precision
    for decimals = 0, DECIMALS_LIMIT do
        local exact = true
        precision = ("%%.%df"):format(decimals)
        for _, number in ipairs({ ... }) do
            exact = exact and math.abs(number - tonumber(precision:format(number))) < 1e-9
        end
        if exact then break end
    end
    return precision
end

function DRAW.number(menu, item)
    local order = menu:_order(item)
    local given, least, most, step = item.value, item.least, item.most, item.step
    for _, number in ipairs({ given or false, least or false, most or false, step or false }) do
        if type(number) ~= "number" then return nil end
    end
    if not order or step <= 0 or least > most then return nil end
    local value = menu:_as_tapped(order, math.max(least, math.min(most, given)))
    local precision = precision_for(value, least, step)
    local unit = type(item.unit) == "string" and item.unit or nil
    return {
        text_func = function()
            return item.label .. ": " .. precision:format(value) .. (unit and " " .. unit or "")
        end,
        keep_menu_open = true,
        callback = menu:_guarded(function(touch_menu)
            local number = {
                title = item.label, value = value, least = least, most = most, step = step, precision = precision,
                unit = unit,
            }
            menu.deps.pick(number, menu:_guarded(function(picked)
                value = math.max(least, math.min(most, tonumber(precision:format(picked))))
                menu:_change(order, value, "value")
                if touch_menu then touch_menu:updateItems() end
            end))
        end),
    }
end

-- ------------------------------------------------------------------------------------------------ taps

--- @return table|nil {verb, arguments|nil, key}, nil if the item says none that could be carried out
function Menu:_order(item)
    local arguments = Json.present(item.arguments)
    local flat = Json.flat(arguments or {})
    if not self.deps.is_verb(item.verb) or not flat then return nil end
    local key = table.concat({ item.verb, tostring(Json.sorted(flat)), self.deps.open_book() or "" }, "\n")
    return { verb = item.verb, arguments = arguments and flat, key = key }
end

function Menu:_change(order, value, name)
    self.tapped[order.key] = value
    local arguments = Json.flat(order.arguments or {})
    arguments[name] = value
    self.deps.tap(order.verb, arguments)
end

function Menu:_as_tapped(order, modelled)
    local tapped = self.tapped[order.key]
    if tapped == nil then return modelled end
    return tapped
end

function Menu:_lists_open_book(paths)
    local book = self.deps.open_book()
    for _, path in ipairs(type(paths) == "table" and paths or {}) do
        if path == book then return true end
    end
    return false
end

function Menu:_guarded(action)
    return function(...)
        local ok, answer = pcall(action, ...)
        if ok then return answer end
        self.deps.log_error(answer)
    end
end

return Menu

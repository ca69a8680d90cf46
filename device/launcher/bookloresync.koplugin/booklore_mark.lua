--- One highlight or page bookmark as KOReader keeps it: what may be one, which one is meant, whether it is still it.
--
-- Promises: only what KOReader can hold, draw and sort becomes a mark; whatever else comes out of a result is none. It
-- indexes texts and compares places of each mark while it opens a book, so one of a wrong type there makes the book
-- unopenable. Never changes a mark that exists, never touches a book.
-- Called by booklore_placing and booklore_annotations. Law: docs/protocol.md, "Changes of marks".

local Json = require("booklore_json")

local PLACE_LIMIT_BYTES = 2048 -- a way through the tags of one chapter; longer ones are not half a place but none
local TEXT_LIMIT_BYTES = 128 * 1024 -- as much as all marks of a result together
local BOXES_MOST = 100 -- lines of one highlight on a fixed page
local SAME_POINT = 0.01 -- of a fixed page's own units, which JSON may round

local DRAWERS = { lighten = true, underscore = true, strikeout = true, invert = true }
-- KOReader keeps names, and looks up what it draws; "gray" is its name for no colour of its own.
local COLORS = {
    red = true, orange = true, yellow = true, green = true, olive = true, cyan = true, blue = true, purple = true,
    gray = true,
}

local Mark = {}

local function is_number(value)
    return type(value) == "number" and value == value and math.abs(value) ~= math.huge
end

local function is_page(value)
    return is_number(value) and value >= 1 and value % 1 == 0
end

--- A place in text that flows.
function Mark.is_xpointer(value)
    return type(value) == "string" and #value <= PLACE_LIMIT_BYTES and value:find("^/[^%s%c]+$") ~= nil
end

--- A point on a fixed page, reduced to what KOReader uses of it.
local function point(value)
    if type(value) ~= "table" or not (is_page(value.page) and is_number(value.x) and is_number(value.y)) then
        return nil
    end
    local copy = { page = value.page, x = value.x, y = value.y }
    for _, name in ipairs({ "zoom", "rotation" }) do
        if is_number(value[name]) then copy[name] = value[name] end
    end
    return copy
end

--- @return table|nil
function Mark.boxes(list)
    if type(list) ~= "table" or #list == 0 or #list > BOXES_MOST then return nil end
    local copies = {}
    for index = 1, #list do
        local box = list[index]
        if type(box) ~= "table" then return nil end
        if not (is_number(box.x) and is_number(box.y) and is_number(box.w) and is_number(box.h)) then return nil end
        copies[index] = { x = box.x, y = box.y, w = box.w, h = box.h }
    end
    return copies
end

local LIMITS = { { 1, 12 }, { 1, 31 }, { 0, 23 }, { 0, 59 }, { 0, 59 } }

--- KOReader compares these as texts, which works for whole ones.
local function is_datetime(value)
    if type(value) ~= "string" then return false end
    local parts = { value:match("^%d%d%d%d%-(%d%d)%-(%d%d) (%d%d):(%d%d):(%d%d)$") }
    for index, limit in ipairs(LIMITS) do
        local part = tonumber(parts[index])
        if not part or part < limit[1] or part > limit[2] then return false end
    end
    return true
end

--- @return string|nil
-- @return boolean false if there is something that is no text
local function optional_text(value)
    value = Json.present(value)
    if value == nil or value == "" then return nil, true end
    if type(value) ~= "string" or #value > TEXT_LIMIT_BYTES then return nil, false end
    return value, true
end

--- @return string|nil, and false for what is no colour of KOReader's
local function optional_color(value)
    local color, ok = optional_text(value)
    return color, ok and (color == nil or COLORS[color] == true)
end

--- Page, pos0 and pos1 of a mark, as KOReader has them.
-- @return table|nil
local function read_place(kind, given)
    local pos0, pos1, page = Json.present(given.pos0), Json.present(given.pos1), Json.present(given.page)
    if kind == "bookmark" then
        -- Where a text flows the page is a place, and a number beside it only says where that was once.
        if Mark.is_xpointer(pos0) and type(page) ~= "string" then page = pos0 end
        return (Mark.is_xpointer(page) or is_page(page)) and { page = page } or nil
    end
    if Mark.is_xpointer(pos0) and Mark.is_xpointer(pos1) then return { page = pos0, pos0 = pos0, pos1 = pos1 } end
    pos0, pos1 = point(pos0), point(pos1)
    if not pos0 or not pos1 or pos1.page < pos0.page then return nil end
    return { page = pos0.page, pos0 = pos0, pos1 = pos1 }
end

--- @param kind any "highlight" or "bookmark"
-- @param to any what a change wants to add
-- @return table|nil item as KOReader keeps it, without what depends on the layout
function Mark.new(kind, to)
    if type(to) ~= "table" or not (kind == "highlight" or kind == "bookmark") or not is_datetime(to.datetime) then
        return nil
    end
    local item = read_place(kind, to)
    if not item then return nil end
    item.datetime = to.datetime
    for _, name in ipairs({ "text", "note", "chapter" }) do
        local value, ok = optional_text(to[name])
        if not ok then return nil end
        item[name] = value
    end
    if kind == "bookmark" then return item end
    local color, is_color = optional_color(to.color)
    if not is_color or not DRAWERS[to.drawer] or not item.text or not item.text:find("%S") then return nil end
    item.drawer, item.color = to.drawer, color
    if type(item.page) == "string" then return item end
    -- On several fixed pages KOReader looks for parts of the highlight that only its own dialogs make.
    if item.pos0.page ~= item.pos1.page then return nil end
    item.pboxes = Mark.boxes(Json.present(to.pboxes))
    return item
end

--- What an edit gives a mark.
-- @return table|nil {name, value|nil} pairs; nil if KOReader could not hold that, or there is nothing to give
function Mark.edits(kind, to)
    if type(to) ~= "table" then return nil end
    local edits = {}
    for _, name in ipairs({ "note", "color", "drawer" }) do
        if to[name] ~= nil and (kind == "highlight" or name == "note") then
            local value, ok = (name == "color" and optional_color or optional_text)(to[name])
            if not ok or (name == "drawer" and not DRAWERS[value]) then return nil end
            edits[#edits + 1] = { name, value }
        end
    end
    return #edits > 0 and edits or nil
end

-- ------------------------------------------------------------------------------------------------ which one it is

function Mark.kind(item)
    return item.drawer and "highlight" or "bookmark"
end

--- Whether this is KOReader's half-made highlight, which goes or becomes a whole one.
function Mark.is_unfinished(item)
    return item.is_tmp == true
end

local function same_point(one, other)
    if type(one) ~= "table" or type(other) ~= "table" then return one == other end
    if one.page ~= other.page or not (is_number(one.x) and is_number(one.y)) then return false end
    if not (is_number(other.x) and is_number(other.y)) then return false end
    return math.abs(one.x - other.x) < SAME_POINT and math.abs(one.y - other.y) < SAME_POINT
end

--- @param place table page, pos0, pos1
function Mark.same_place(item, place)
    if not item.drawer then return item.page == place.page end
    return same_point(item.pos0, place.pos0) and same_point(item.pos1, place.pos1)
end

local function only_one(list, is_it)
    local found
    for index, item in ipairs(list) do
        if is_it(item) then
            if found then return nil end
            found = index
        end
    end
    return found
end

--- @param list table KOReader's marks of a book
-- @param from table what a change says of the one that it means
-- @return number|nil its index
function Mark.find(list, kind, from)
    local datetime, place = Json.present(from.datetime), read_place(kind, from)
    local function is_there(item) return place and Mark.kind(item) == kind and Mark.same_place(item, place) end
    if not datetime then return only_one(list, is_there) end
    for index, item in ipairs(list) do
        if item.datetime == datetime and is_there(item) then return index end
    end
    return only_one(list, function(item) return item.datetime == datetime and Mark.kind(item) == kind end)
end

--- @return number|nil index of a mark of this kind at exactly this place
function Mark.at_place(list, item)
    local kind = Mark.kind(item)
    for index, other in ipairs(list) do
        if Mark.kind(other) == kind and Mark.same_place(other, item) then return index end
    end
end

local function value_or_nil(value)
    value = Json.present(value)
    return value ~= "" and value or nil
end

--- Whether a mark has what the fields say. What they do not name may be anything; none is as good as an empty one.
function Mark.has(item, fields)
    for _, name in ipairs({ "note", "color", "drawer" }) do
        if fields[name] ~= nil and value_or_nil(fields[name]) ~= value_or_nil(item[name]) then return false end
    end
    return true
end

return Mark

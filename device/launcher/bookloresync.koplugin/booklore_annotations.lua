--- What has changed of a book's highlights, notes and bookmarks, for the journal.
--
-- Promises: only what is new, different or gone since it was looked at last is written, and counts as written only when
-- the journal took it. Looking costs a few comparisons for each mark, whatever the length of its texts: the texts are
-- only held, and equal texts are the same object in Lua. KOReader announces most changes but not all (a bookmark's
-- note, other plugins), so it is always looked. A mark that KOReader moved, or made anew with the same date, is the
-- same mark. Never changes a mark, never raises.
-- Called by main.lua when a book opens, falls asleep and closes. Law: docs/protocol.md, "Marks".

local Json = require("booklore_json")
local Mark = require("booklore_mark")

local LINE_BYTES = 60 * 1024 -- of the marks in one line; the worker reads 64 KiB
local MOMENT_BYTES = 1024 * 1024 -- in all lines of one moment
local TEXT_BYTES, TEXT_BYTES_IF_LONG = 16 * 1024, 4 * 1024
local LABEL_BYTES = 1024
local DATE_BYTES, WORD_BYTES = 32, 64
local BOXES_MOST = 100

-- What is remembered of each mark besides its places. Chapter and pages follow from the place and the layout.
local FIELDS = { "datetime", "datetime_updated", "drawer", "color", "text", "text_edited", "note", "page" }
local PLACES = { "pos0", "pos1" }

local Annotations = {}
Annotations.__index = Annotations

function Annotations:new(log_error)
    return setmetatable({ log_error = log_error }, self)
end

-- ------------------------------------------------------------------------------------------------ what is remembered

--- KOReader moves a point of a fixed page inside its table, so a table is no memory of it.
local function held(place)
    if type(place) ~= "table" then return place end
    return { page = place.page, x = place.x, y = place.y }
end

local function differs(place, remembered)
    if place == remembered then return false end
    if type(place) ~= "table" or type(remembered) ~= "table" then return true end
    return place.page ~= remembered.page or place.x ~= remembered.x or place.y ~= remembered.y
end

local function note_down(known, mark)
    local slot = known.slots[mark]
    if not slot then
        slot = #known.marks + 1
        known.slots[mark], known.marks[slot] = slot, mark
    end
    for _, name in ipairs(FIELDS) do known[name][slot] = mark[name] end
    for _, name in ipairs(PLACES) do known[name][slot] = held(mark[name]) end
end

local function marks_of(ui)
    local list = ui.annotation and ui.annotation.annotations
    return type(list) == "table" and list or {}
end

local function is_whole(mark)
    return type(mark) == "table" and not Mark.is_unfinished(mark)
end

--- A book has been opened: from here on changes count.
function Annotations:watch(ui)
    -- Columns, not rows: a thousand marks should not make a thousand tables. Slots are never used again; a place in
    -- `marks` is false when its mark has gone.
    local known = { slots = {}, marks = {}, seen = {}, looks = 0 }
    for _, name in ipairs(FIELDS) do known[name] = {} end
    for _, name in ipairs(PLACES) do known[name] = {} end
    self.known, self.taken_out = known, {}
    self:_guarded(function()
        for _, mark in ipairs(marks_of(ui)) do
            if is_whole(mark) then note_down(known, mark) end
        end
    end)
end

function Annotations:forget()
    self.known, self.taken_out = nil, nil
end

--- This mark goes, or went, from KOReader's list because the text has no place for it.
function Annotations:has_no_place(mark)
    if self.known and self.known.slots[mark] then self.taken_out[mark] = true end
end

-- ------------------------------------------------------------------------------------------------ what is different

local function is_different(known, slot, mark)
    for _, name in ipairs(FIELDS) do
        if known[name][slot] ~= mark[name] then return true end
    end
    return differs(mark.pos0, known.pos0[slot]) or differs(mark.pos1, known.pos1[slot])
end

local function is_elsewhere(known, slot, mark)
    return known.datetime[slot] ~= mark.datetime or known.page[slot] ~= mark.page
        or differs(mark.pos0, known.pos0[slot]) or differs(mark.pos1, known.pos1[slot])
end

--- A mark that KOReader made anew, as when two are joined, is the one with its date that went.
-- @param gone table list of slots
-- @return number|nil position in that list
local function predecessor(known, gone, mark)
    local found
    for position, slot in ipairs(gone) do
        if known.datetime[slot] == mark.datetime and (known.drawer[slot] ~= nil) == (mark.drawer ~= nil) then
            if not is_elsewhere(known, slot, mark) then return position end
            if found then return nil end
            found = position
        end
    end
    return found
end

--- @return table list of {mark, was}: what there is now, and the slot of what was remembered of it; or either alone
local function differences(known, list)
    local found, fresh, gone = {}, {}, {}
    known.looks = known.looks + 1
    for _, mark in ipairs(list) do
        if is_whole(mark) then
            local slot = known.slots[mark]
            if not slot then
                fresh[#fresh + 1] = mark
            else
                known.seen[slot] = known.looks
                if is_different(known, slot, mark) then found[#found + 1] = { mark = mark, was = slot } end
            end
        end
    end
    for slot, mark in ipairs(known.marks) do
        if mark and known.seen[slot] ~= known.looks then gone[#gone + 1] = slot end
    end
    for _, mark in ipairs(fresh) do
        local position = predecessor(known, gone, mark)
        found[#found + 1] = { mark = mark, was = position and table.remove(gone, position) }
    end
    for _, slot in ipairs(gone) do found[#found + 1] = { was = slot } end
    return found
end

-- ------------------------------------------------------------------------------------------------ as it is written

local function text(value, limit_bytes, entry)
    if type(value) ~= "string" or value == "" then return nil end
    if #value <= limit_bytes then return value end
    entry.is_cut = true
    -- Cut before a character, not inside it: continuation bytes are 0x80 to 0xBF.
    while limit_bytes > 0 and value:byte(limit_bytes + 1) >= 0x80 and value:byte(limit_bytes + 1) < 0xC0 do
        limit_bytes = limit_bytes - 1
    end
    return value:sub(1, limit_bytes)
end

local function number(value)
    return type(value) == "number" and value or nil
end

local function place(value)
    if Mark.is_xpointer(value) or type(value) == "number" then return value end
    if type(value) ~= "table" then return nil end
    return Json.object({
        { "page", number(value.page) }, { "x", number(value.x) }, { "y", number(value.y) },
        { "zoom", number(value.zoom) }, { "rotation", number(value.rotation) },
    })
end

local function boxes(list)
    if type(list) ~= "table" or #list == 0 then return nil end
    local entries = {}
    for index = 1, math.min(#list, BOXES_MOST) do
        local box = list[index]
        if type(box) ~= "table" then return nil end
        entries[index] = Json.object({
            { "x", number(box.x) }, { "y", number(box.y) }, { "w", number(box.w) }, { "h", number(box.h) },
        })
    end
    return Json.list(entries)
end

--- What was remembered of a mark, as its identity.
local function identity(known, slot)
    return Json.object({
        { "datetime", text(known.datetime[slot], DATE_BYTES, {}) }, { "page", place(known.page[slot]) },
        { "pos0", place(known.pos0[slot]) }, { "pos1", place(known.pos1[slot]) },
    })
end

local function encoded(mark, was, text_bytes)
    local entry = {}
    local long = { text = text(mark.text, text_bytes, entry), note = text(mark.note, text_bytes, entry) }
    return Json.object({
        { "datetime", text(mark.datetime, DATE_BYTES, entry) },
        { "datetime_updated", text(mark.datetime_updated, DATE_BYTES, entry) },
        { "drawer", text(mark.drawer, WORD_BYTES, entry) }, { "color", text(mark.color, WORD_BYTES, entry) },
        { "text", long.text }, { "text_edited", mark.text_edited and true or nil }, { "note", long.note },
        { "chapter", text(mark.chapter, LABEL_BYTES, entry) }, { "pageno", number(mark.pageno) },
        { "pageref", text(mark.pageref, LABEL_BYTES, entry) }, { "page", place(mark.page) },
        { "pos0", place(mark.pos0) }, { "pos1", place(mark.pos1) }, { "pboxes", boxes(mark.pboxes) },
        { "was", was }, { "cut", entry.is_cut },
    })
end

--- @return table|nil encoded object, nil if the worker could make nothing of it
local function entry_of(known, difference)
    local mark, slot = difference.mark, difference.was
    if not mark then return identity(known, slot) end
    if place(mark.page) == nil then return nil end
    local was = slot and is_elsewhere(known, slot, mark) and identity(known, slot) or nil
    -- One control character becomes six.
    for _, text_bytes in ipairs({ TEXT_BYTES, TEXT_BYTES_IF_LONG }) do
        local entry = encoded(mark, was, text_bytes)
        if #tostring(entry) <= LINE_BYTES then return entry end
    end
    return nil
end

-- ------------------------------------------------------------------------------------------------ into the journal

--- It has been told.
local function settle(known, difference)
    local old = difference.was and known.marks[difference.was]
    if old and old ~= difference.mark then known.slots[old], known.marks[difference.was] = nil, false end
    if difference.mark then note_down(known, difference.mark) end
end

--- Which rules KOReader's engine names places by in this book.
local function dom_of(ui)
    return ui.rolling and number(ui.doc_settings:readSetting("cre_dom_version")) or nil
end

--- @param journal booklore_journal, asked to take a line at a time
function Annotations:write(ui, journal)
    local known = self.known
    if not known then return end
    self:_guarded(function()
        local list = marks_of(ui)
        local found, first, total = differences(known, list), 1, 0
        while found[first] and total < MOMENT_BYTES do
            local lists, bytes, following = { changed = {}, gone = {}, unplaced = {} }, 0, first
            while found[following] do
                local difference = found[following]
                local entry = entry_of(known, difference)
                local size = entry and #tostring(entry) + 1 or 0
                if bytes > 0 and bytes + size > LINE_BYTES then break end
                if entry then table.insert(lists[self:_list_for(difference)], entry) end
                bytes, following = bytes + size, following + 1
            end
            local line = { { "count", #list }, { "dom", dom_of(ui) } }
            for _, name in ipairs({ "changed", "gone", "unplaced" }) do
                if name ~= "unplaced" or lists[name][1] then line[#line + 1] = { name, Json.list(lists[name]) } end
            end
            local is_taken = bytes == 0 or journal:marks(line)
            if not is_taken then return end
            for index = first, following - 1 do settle(known, found[index]) end
            first, total = following, total + bytes
        end
    end)
end

function Annotations:_list_for(difference)
    if difference.mark then return "changed" end
    return self.taken_out[self.known.marks[difference.was]] and "unplaced" or "gone"
end

function Annotations:_guarded(action)
    local ok, problem = pcall(action)
    if not ok then self.log_error(problem) end
end

return Annotations

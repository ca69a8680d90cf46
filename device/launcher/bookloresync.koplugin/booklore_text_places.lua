--- Whether the open book has a highlight's words where the highlight says, and where else they are.
--
-- Promises: a place is believed only if the words there are the highlighted ones, spaces aside, which browsers count
-- differently. What is found instead has exactly these words, and is near, or so long that it can be no other. A search
-- goes through the whole book, so the caller counts them. Never changes anything.
-- Called by booklore_placing, only for text that flows. KOReader's credocument.lua says what its engine answers.

local Mark = require("booklore_mark")

local HITS_MOST = 200 -- of a search; words that are more frequent than that tell no place
local NEAREST_MOST = 5 -- places that are looked at more closely
local PART_BYTES = 60 -- the engine finds no words across paragraphs, so only a beginning and an end are searched for
local PAGES_NEAR, FRACTION_NEAR = 5, 0.03
local TELLING_BYTES = 25 -- words of this length that are there once are the ones, wherever they are
local CUT_TEXT_BYTES = 2000 -- servers cut long quotations; from here on the beginning is enough

local Places = {}

-- What may stand between letters without being seen: spaces of all widths, soft hyphens, joiners, marks of direction.
local INVISIBLE = {
    "%s+", "\194[\160\173]", "\226\128[\128-\143\168-\175]", "\226\129[\159-\164]", "\227\128\128", "\239\187\191",
}

local function bare(text)
    for _, pattern in ipairs(INVISIBLE) do text = text:gsub(pattern, "") end
    return text
end

local function same_words(found, wanted)
    if type(found) ~= "string" then return false end
    found, wanted = bare(found), bare(wanted)
    return found == wanted or (#wanted >= CUT_TEXT_BYTES and found:sub(1, #wanted) == wanted)
end

--- Whether the place exists at all.
function Places.exists(ui, item)
    for _, name in ipairs({ "page", "pos0", "pos1" }) do
        local place = item[name]
        local is_there = place == nil or (Mark.is_xpointer(place) and ui.document:isXPointerInDocument(place))
        if not is_there then return false end
    end
    return true
end

local function has_words(ui, pos0, pos1, text)
    if ui.document:compareXPointers(pos0, pos1) ~= 1 then return false end
    return same_words(ui.document:getTextFromXPointers(pos0, pos1), text)
end

--- @return boolean whether the mark is where it says; a bookmark has no words to be compared
function Places.holds(ui, item)
    if not Places.exists(ui, item) then return false end
    return item.drawer == nil or has_words(ui, item.pos0, item.pos1, item.text)
end

--- Up to so many bytes, whole characters, and whole words where there are any.
local function first_part(line)
    if #line <= PART_BYTES then return line end
    local last = PART_BYTES
    while last > 0 and line:byte(last + 1) >= 0x80 and line:byte(last + 1) < 0xC0 do last = last - 1 end
    local part = line:sub(1, last)
    return part:match("^(.*%S)%s+%S*$") or part
end

local function last_part(line)
    if #line <= PART_BYTES then return line end
    local first = #line - PART_BYTES + 1
    while first <= #line and line:byte(first) >= 0x80 and line:byte(first) < 0xC0 do first = first + 1 end
    local part = line:sub(first)
    return part:match("^%S*%s+(%S.*)$") or part
end

--- Where words are in the whole book, the nearest to a page first.
-- @return table list of {start, stop, distance}
local function search(ui, words, page)
    local found = ui.document:findAllText(words, false, 0, HITS_MOST, false)
    local hits = {}
    for _, hit in ipairs(type(found) == "table" and found or {}) do
        local start, stop = hit.start, hit["end"]
        if Mark.is_xpointer(start) and Mark.is_xpointer(stop) then
            local distance = page and math.abs(ui.document:getPageFromXPointer(start) - page) or 0
            hits[#hits + 1] = { start = start, stop = stop, distance = distance, order = #hits }
        end
    end
    table.sort(hits, function(one, other)
        if one.distance ~= other.distance then return one.distance < other.distance end
        return one.order < other.order
    end)
    return hits
end

--- Pairs of a beginning and an end that have exactly the words between them, as far as they are looked at.
local function places_of(ui, text, page)
    local trimmed = text:match("^%s*(.-)%s*$")
    local head = first_part(trimmed:match("^[^\r\n]+"))
    local beginnings = search(ui, head, page)
    local ends = head == trimmed and beginnings or search(ui, last_part(trimmed:match("[^\r\n]+$")), page)
    local places = {}
    for first = 1, math.min(#beginnings, NEAREST_MOST) do
        local beginning = beginnings[first]
        for last = 1, math.min(#ends, NEAREST_MOST) do
            if has_words(ui, beginning.start, ends[last].stop, text) then
                places[#places + 1] = { pos0 = beginning.start, pos1 = ends[last].stop, distance = beginning.distance }
                break
            end
        end
    end
    return places, #beginnings
end

--- @param fraction number|nil where the highlight is said to be, if its place does not exist
-- @return table|nil {pos0, pos1}
function Places.find(ui, item, fraction)
    local document, page = ui.document, nil
    local pages = document:getPageCount()
    if document:isXPointerInDocument(item.pos0) then
        page = document:getPageFromXPointer(item.pos0)
    elseif type(fraction) == "number" and fraction >= 0 and fraction <= 1 then
        page = fraction * pages
    end
    local places, beginnings = places_of(ui, item.text, page)
    local place = places[1]
    if not place then return nil end
    if #bare(item.text) >= TELLING_BYTES and #places == 1 and beginnings <= NEAREST_MOST then return place end
    local is_near = page and place.distance <= math.max(PAGES_NEAR, pages * FRACTION_NEAR)
    local is_only = not places[2] or places[2].distance > place.distance
    return is_near and is_only and place or nil
end

return Places

--- What is kept in a book's record about marks that were put into it while it was closed.
--
-- Promises: names of marks only, bounded, and nothing at all once there is nothing to be done. What is broken counts as
-- nothing. Called by booklore_placing.

local Mark = require("booklore_mark")

local KEY = "bookloresync_placed"
local UNCHECKED_MOST = 500 -- checking each takes some milliseconds while the book opens
local REFUSED_MOST = 200 -- the oldest are forgotten, and may be tried again
local MODIFIED = "annotations_externally_modified" -- KOReader computes pages and order of everything then

local Kept = {}

--- @return table {unchecked = not compared with the text yet, refused = without a place in it, so that they are not put
--   in again each time the book is closed, ours = whether nobody else asked KOReader to order what there is}
local function read(settings)
    local kept = settings:readSetting(KEY)
    if type(kept) ~= "table" then kept = {} end
    for _, name in ipairs({ "unchecked", "refused" }) do
        if type(kept[name]) ~= "table" then kept[name] = {} end
    end
    return kept
end

local function write(settings, kept)
    while #kept.refused > REFUSED_MOST do table.remove(kept.refused, 1) end
    if #kept.unchecked + #kept.refused > 0 then
        settings:saveSetting(KEY, kept)
    else
        settings:delSetting(KEY)
    end
end

local function is_it(told, mark)
    return type(told) == "table" and told.datetime == mark.datetime and Mark.same_place(mark, told)
end

function Kept.refuses(settings, mark)
    for _, told in ipairs(read(settings).refused) do
        if is_it(told, mark) then return true end
    end
    return false
end

function Kept.has_room(settings)
    return #read(settings).unchecked < UNCHECKED_MOST
end

--- A mark has been put into the closed book.
-- @param fraction number|nil where it is said to be
function Kept.remember(settings, mark, fraction)
    local kept = read(settings)
    kept.ours = kept.ours or not settings:readSetting(MODIFIED)
    table.insert(kept.unchecked, {
        datetime = mark.datetime, page = mark.page, pos0 = mark.pos0, pos1 = mark.pos1, fraction = fraction,
    })
    write(settings, kept)
end

--- KOReader is to compute pages and order when it opens the book.
function Kept.leave_to_koreader(settings)
    settings:saveSetting(MODIFIED, true)
end

--- It is not, if that was only for our sake.
function Kept.take_from_koreader(settings)
    if read(settings).ours == true then settings:delSetting(MODIFIED) end
end

--- Takes the marks that have not been checked out of KOReader's list, for each to be put in again or not.
-- @param put_in fn(mark, fraction) → "in", "later", "unplaced"
function Kept.go_through(settings, list, put_in)
    if not settings:readSetting(KEY) then return end
    local kept, taken = read(settings), {}
    for position = 1, math.min(#kept.unchecked, UNCHECKED_MOST) do
        local told = kept.unchecked[position]
        for index = #list, 1, -1 do
            if is_it(told, list[index]) then
                taken[#taken + 1] = { mark = table.remove(list, index), told = told }
                break
            end
        end
    end
    local rest = { unchecked = {}, refused = kept.refused }
    local lists = { later = rest.unchecked, unplaced = rest.refused }
    for _, one in ipairs(taken) do
        local outcome = put_in(one.mark, one.told.fraction)
        if lists[outcome] then table.insert(lists[outcome], one.told) end
    end
    write(settings, rest)
end

return Kept

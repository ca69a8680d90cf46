--- Puts marks that a result brings into a book, changes them, takes them out: an open one's or a closed one's.
--
-- Promises: a mark is changed or taken out only if it still is what it was thought to be, and what an edit does not
-- name stays. An open book gets a highlight only where its words are. Of a closed one nobody can tell, so what was put
-- into its record is checked and put in its order when it opens, before KOReader draws or sorts: it sorts by comparing
-- places in the text, and a few that do not exist make that fail, and the book unopenable. What has no place then is
-- taken out, which is not the reader's doing. Never decides what is wanted. Nothing is on the disk before
-- booklore_books saves.
-- Called by booklore_changes, in ticks of their own, and by main.lua while a book opens. Law: docs/protocol.md,
-- "Changes of marks"; KOReader's readerannotation.lua from v2024.07 on.

local Kept = require("booklore_kept")
local Mark = require("booklore_mark")
local Places = require("booklore_text_places")

local ITEMS_MOST = 100 -- of a change
local SEARCHES_MOST = 2 -- in one go; each goes through the whole book while the reader waits

local Placing = {}
Placing.__index = Placing

--- @param deps table
--   redraw      fn(ui), of the window
--   event       fn(name, ...) → event
--   now         fn → string, as KOReader writes when a mark was made
--   in_chapter  fn(chapter) → string, KOReader's text of a page bookmark
--   log_error   fn(text)
function Placing:new(deps)
    return setmetatable({ deps = deps }, self)
end

-- ------------------------------------------------------------------------------------------------ what there is

--- @return boolean|nil whether the text flows, nil if nothing tells
local function flows(record, list)
    if record.ui then return record.ui.rolling ~= nil end
    if list[1] then return type(list[1].page) == "string" end
    if record.settings:readSetting("last_xpointer") then return true end
    if record.settings:readSetting("last_page") then return false end
    return nil
end

--- @return table|nil KOReader's marks of the book, nil if they are not to be touched now: a book without a list was not
--   open since KOReader keeps them so, and it takes over those of older forms only where there is no list yet
local function marks_of(record)
    local module = record.ui and record.ui.annotation
    local list = module and module.annotations
    if not record.ui then list = record.settings:readSetting("annotations") end
    if type(list) ~= "table" then return nil end
    for index = 1, #list do
        if type(list[index]) ~= "table" then return nil end
    end
    return list
end

--- @return table|nil one word for each item, nil if this is no change of marks; whether there is something to save
function Placing:apply(record, items)
    if type(items) ~= "table" or #items == 0 or #items > ITEMS_MOST then return nil end
    local list = marks_of(record)
    local work = { record = record, ui = record.ui, list = list, searches = SEARCHES_MOST, changed = false }
    if list then work.flows = flows(record, list) end
    local words = {}
    for index = 1, #items do
        words[index] = list and self:_guarded(self._one, work, items[index]) or "later"
    end
    if work.changed then
        record.settings:saveSetting("annotations", list)
        if work.ui then self:_guarded(self._show, work.ui) end
    end
    return words, work.changed
end

function Placing:_one(work, item)
    if type(item) ~= "table" then return "unfit" end
    if item["do"] == "add" then return self:_add(work, item) end
    if item["do"] ~= "edit" and item["do"] ~= "remove" then return "unfit" end
    if (item.kind ~= "highlight" and item.kind ~= "bookmark") or type(item.from) ~= "table" then return "unfit" end
    local index = Mark.find(work.list, item.kind, item.from)
    if item["do"] == "edit" then return self:_edit(work, item, index) end
    return self:_remove(work, item, index)
end

--- As what KOReader counts a mark for its statistics; page bookmarks as nothing.
local function counted_as(mark)
    if not mark.drawer then return nil end
    return mark.note and "nb_notes_added" or "nb_highlights_added"
end

-- ------------------------------------------------------------------------------------------------ adding

--- @return string|nil what to say if the book has it, or something else in its place
local function is_there_already(list, mark, to)
    for _, other in ipairs(list) do
        if other.datetime == mark.datetime and Mark.kind(other) == Mark.kind(mark) then
            if Mark.same_place(other, mark) then return Mark.has(other, to) and "done" or "other" end
            if mark.drawer and other.text == mark.text then return "moved" end
        end
    end
    return Mark.at_place(list, mark) and "other" or nil
end

function Placing:_add(work, item)
    local mark = Mark.new(item.kind, item.to)
    if not mark then return "unfit" end
    if work.flows ~= nil and work.flows ~= (type(mark.page) == "string") then return "later" end
    local there = is_there_already(work.list, mark, item.to)
    if there then return there end
    return (work.ui and self._add_to_open or self._add_to_closed)(self, work, mark, item.to.fraction)
end

--- Finds out where the mark belongs in the open book.
-- @return string "exact", "moved" (its place is another now), "unplaced", "later"
local function settle(work, mark, fraction)
    local document = work.ui.document
    if not work.ui.rolling then
        if mark.page > document:getPageCount() then return "unplaced" end
        if mark.drawer and not mark.pboxes then
            mark.pboxes = Mark.boxes(document:getPageBoxesFromPositions(mark.page, mark.pos0, mark.pos1))
        end
        return (mark.pboxes or not mark.drawer) and "exact" or "unplaced"
    end
    if Places.holds(work.ui, mark) then return "exact" end
    if not mark.drawer then return "unplaced" end
    if work.searches == 0 then return "later" end
    work.searches = work.searches - 1
    local place = Places.find(work.ui, mark, fraction)
    if not place then return "unplaced" end
    mark.page, mark.pos0, mark.pos1 = place.pos0, place.pos0, place.pos1
    return "moved"
end

--- Into KOReader's list, in its order, with what depends on the layout.
function Placing:_insert(ui, mark)
    local datetime = mark.datetime
    local known, chapter = pcall(function() return ui.toc:getTocTitleByPage(mark.page) end)
    if known and type(chapter) == "string" and chapter ~= "" then mark.chapter = chapter end
    if not mark.drawer and not mark.text and mark.chapter then mark.text = self.deps.in_chapter(mark.chapter) end
    local index = ui.annotation:addItem(mark)
    mark.datetime = datetime -- before v2025.04 KOReader writes its own
    return index
end

function Placing:_add_to_open(work, mark, fraction)
    local found = settle(work, mark, fraction)
    if found == "unplaced" or found == "later" then return found end
    if found == "moved" and Mark.at_place(work.list, mark) then return "other" end
    local index = self:_insert(work.ui, mark)
    work.changed = true
    self:_write_into_file(work.ui, mark, "save")
    if mark.note then self:_write_into_file(work.ui, mark, "content", mark.note) end
    self:_announce(work.ui, mark, nil, counted_as(mark), index)
    return found == "moved" and "moved" or "done"
end

--- About where it is; KOReader knows better when it opens the book.
local function page_number(settings, mark, fraction)
    if type(mark.page) == "number" then return mark.page end
    local pages = settings:readSetting("doc_pages")
    if type(pages) ~= "number" or type(fraction) ~= "number" or not (fraction >= 0 and fraction <= 1) then return 1 end
    return math.max(1, math.floor(fraction * pages + 0.5))
end

function Placing:_add_to_closed(work, mark, fraction)
    local settings, list, pages = work.record.settings, work.list, work.record.settings:readSetting("doc_pages")
    if type(mark.page) == "string" then
        if Kept.refuses(settings, mark) then return "unplaced" end
        if not Kept.has_room(settings) then return "later" end
        Kept.remember(settings, mark, type(fraction) == "number" and fraction or nil)
    else
        -- KOReader looks at the words of a page to sort its highlights, and fails where there is no page; at the boxes
        -- of a highlight when the reader moves its end.
        if type(pages) ~= "number" or (mark.drawer and not mark.pboxes) then return "later" end
        if mark.page > pages then return "unplaced" end
    end
    mark.pageno = page_number(settings, mark, fraction)
    local index = 1
    while list[index] and (tonumber(list[index].pageno) or 0) <= mark.pageno do index = index + 1 end
    table.insert(list, index, mark)
    Kept.leave_to_koreader(settings)
    work.changed = true
    return "done"
end

-- ------------------------------------------------------------------------------------------------ changing

function Placing:_edit(work, item, index)
    local edits, mark = Mark.edits(item.kind, item.to), work.list[index]
    if not edits then return "unfit" end
    if not mark then return "missing" end
    if Mark.has(mark, item.to) then return "done" end
    if not Mark.has(mark, item.from) then return "other" end
    local was = counted_as(mark)
    if work.ui then self:_write_into_file(work.ui, mark, "delete") end
    for _, edit in ipairs(edits) do mark[edit[1]] = edit[2] end
    mark.datetime_updated = self.deps.now()
    work.changed = true
    if work.ui then
        self:_write_into_file(work.ui, mark, "save")
        if mark.note then self:_write_into_file(work.ui, mark, "content", mark.note) end
        self:_announce(work.ui, mark, was, counted_as(mark))
    end
    return "done"
end

function Placing:_remove(work, item, index)
    local mark = work.list[index]
    if not mark then return "done" end
    if not Mark.has(mark, item.from) then return "other" end
    if work.ui then self:_write_into_file(work.ui, mark, "delete") end
    table.remove(work.list, index)
    work.changed = true
    if work.ui then self:_announce(work.ui, mark, counted_as(mark), nil, -index) end
    return "done"
end

-- ------------------------------------------------------------------------------------------------ telling KOReader

--- @param was string|nil as what KOReader counted it, `is` likewise by now
-- @param index number|nil where it was put in, negative where it was taken out; nil for an edit
function Placing:_announce(ui, mark, was, is, index)
    local news = { mark, index_modified = index }
    if was ~= is then
        if was then news[was] = -1 end
        if is then news[is] = 1 end
    end
    ui:handleEvent(self.deps.event("AnnotationsModified", news))
end

--- KOReader can keep highlights in the PDF as well; it asks for itself whether the reader wants that.
function Placing:_write_into_file(ui, mark, action, content)
    local highlight = ui.highlight
    if not (ui.paging and mark.drawer and mark.pboxes and highlight and highlight.writePdfAnnotation) then return end
    self:_guarded(function() highlight:writePdfAnnotation(action, mark, content) end)
end

function Placing:_show(ui)
    local view, bookmark = ui.view, ui.bookmark
    if view and view.resetHighlightBoxesCache then view:resetHighlightBoxesCache() end
    if bookmark and bookmark.setDogearVisibility then bookmark:setDogearVisibility(bookmark:getCurrentPageNumber()) end
    if view and view.footer and view.footer.maybeUpdateFooter then view.footer:maybeUpdateFooter() end
    self.deps.redraw(ui)
end

-- ------------------------------------------------------------------------------------------------ a book opens

--- Before KOReader reads the book's record: it must not sort what has not been checked.
function Placing:before_reading(ui)
    if ui.rolling then self:_guarded(function() Kept.take_from_koreader(ui.doc_settings) end) end
end

--- Puts a mark where it belongs.
-- @return string "in", "later": in for now, but its words are still to be looked for, "unplaced"
function Placing:_put_back(work, mark, fraction)
    local found = self:_guarded(function() return settle(work, mark, fraction) end) or "unplaced"
    -- There is always a next time for a search, but only where KOReader can compare the place meanwhile.
    if found == "later" and not Places.exists(work.ui, mark) then found = "unplaced" end
    if found == "moved" and Mark.at_place(work.list, mark) then found = "unplaced" end
    if found == "unplaced" or not self:_guarded(self._insert, work.ui, mark) then return "unplaced" end
    return found == "later" and "later" or "in"
end

--- When the book has been laid out, and before it is drawn.
-- @param on_unplaced fn(mark), for each that is taken out for good
function Placing:put_in_order(ui, on_unplaced)
    local list = ui.rolling and marks_of({ ui = ui })
    if not list then return end
    local work = { ui = ui, list = list, searches = SEARCHES_MOST }
    self:_guarded(function()
        Kept.go_through(ui.doc_settings, list, function(mark, fraction)
            local outcome = self:_put_back(work, mark, fraction)
            if outcome == "unplaced" then on_unplaced(mark) end
            return outcome
        end)
    end)
end

--- @return what the action answers, nil if it failed
function Placing:_guarded(action, ...)
    local ok, answer = pcall(action, self, ...)
    if ok then return answer end
    self.deps.log_error(answer)
    return nil
end

return Placing

--- Changes that a result brings for KOReader's own records, and the report of what came of them.
--
-- Promises: a change is made only to the book it names, and only where the record still is what it was thought to be.
-- A change that is broken, of an unknown kind or not to be made now is passed over and not reported, so that it comes
-- again. One book in one tick, and one change of its marks: saving takes as long as KOReader needs for it. Marks of the
-- open book wait until its page is bare, because dialogs about marks know them by their number. Never raises.
-- Called by the worker facade for results and by booklore_questions for answers. Law: docs/protocol.md, "Changes".

local Json = require("booklore_json")

local CHANGES_MOST = 20 -- of a result; also the most that one report can name
local WAITING_MOST = 60 -- results may follow each other faster than their changes are made; what is left comes again
local ID_LIMIT_BYTES = 64 -- becomes the name of an argument
local NEXT_BOOK_S = 0.1 -- lets KOReader draw and listen between two books
local LOOK_AGAIN_S, LOOKS_MOST = 2, 300 -- whether the page is bare; after ten minutes what waits comes again anyway

local Changes = {}
Changes.__index = Changes

--- @param deps table
--   ui         UIManager
--   books      booklore_books
--   placing    booklore_placing
--   is_awake   fn → boolean
--   is_free    fn → boolean, whether the device is awake and nothing but the page or the browser on its screen
--   report     fn(arguments, reason), starts the verb `applied`
--   log_error  fn(text)
function Changes:new(deps)
    local changes = setmetatable({ deps = deps, waiting = {}, outcomes = {}, put_off = {}, looks = 0 }, self)
    changes.go_on = function() changes:_guarded(changes._next_book) end
    changes.look = function() changes:_guarded(changes._look) end
    return changes
end

--- @param list any what the result has
-- @param origin table {reason, verb} of the run whose result it is
function Changes:make(list, origin)
    if type(list) ~= "table" or #list == 0 then return end
    for index = 1, math.min(#list, CHANGES_MOST, WAITING_MOST - #self.waiting) do
        self.waiting[#self.waiting + 1] = list[index]
    end
    self.origin = origin
    if not self.scheduled then self.go_on() end
end

--- What the reader has just answered, before anything else.
function Changes:make_now(change, origin)
    self.origin = origin
    self:_guarded(function() self:_make_for_book({ change }) end)
    if not self.scheduled then self:_guarded(self._finish) end
end

--- All changes of one book, but of its marks only one; the others come in another tick.
function Changes:_next_book()
    self.scheduled = false
    local function book_of(change) return type(change) == "table" and change.file or nil end
    local of_this_book, others, file, has_marks = {}, {}, book_of(self.waiting[1]), false
    for _, change in ipairs(self.waiting) do
        local is_of_marks = type(change) == "table" and change.kind == "annotations"
        local is_next = book_of(change) == file and not (is_of_marks and has_marks)
        table.insert(is_next and of_this_book or others, change)
        has_marks = has_marks or (is_next and is_of_marks)
    end
    self.waiting = others
    self:_guarded(function() self:_make_for_book(of_this_book) end)
    if #others == 0 then return self:_finish() end
    self.scheduled = true
    self.deps.ui:scheduleIn(NEXT_BOOK_S, self.go_on)
end

--- For the page to be bare. The latest of a change is the one that counts.
function Changes:_put_off(change)
    for index, other in ipairs(self.put_off) do
        if other.id == change.id then table.remove(self.put_off, index) break end
    end
    if #self.put_off >= WAITING_MOST then return end
    table.insert(self.put_off, change)
    if self.is_looking then return end
    self.is_looking, self.looks = true, 0
    self.deps.ui:scheduleIn(LOOK_AGAIN_S, self.look)
end

function Changes:_look()
    self.looks = self.looks + 1
    local is_free = self.deps.is_free()
    if not is_free and self.looks < LOOKS_MOST then return self.deps.ui:scheduleIn(LOOK_AGAIN_S, self.look) end
    local put_off = self.put_off
    self.put_off, self.is_looking = {}, false
    if not is_free then return end
    for _, change in ipairs(put_off) do
        if #self.waiting < WAITING_MOST then table.insert(self.waiting, change) end
    end
    if not self.scheduled then self:_next_book() end
end

function Changes:_finish()
    local outcomes, redraw = self.outcomes, self.closed_book_changed
    self.outcomes, self.closed_book_changed = {}, false
    if redraw then self.deps.books:redraw_browser() end
    -- A worker that answers its report with the same changes again would go round in a circle.
    local report = tostring(Json.sorted(outcomes))
    if self.origin.verb == "applied" and report == self.last_report then return end
    self.last_report = report
    local names = {}
    for id in pairs(outcomes) do names[#names + 1] = id end
    table.sort(names)
    for first = 1, #names, CHANGES_MOST do
        local arguments = {}
        for index = first, math.min(first + CHANGES_MOST - 1, #names) do
            arguments[names[index]] = outcomes[names[index]]
        end
        self.deps.report(arguments, self.origin.reason)
    end
end

-- ------------------------------------------------------------------------------------------------ one book

local STATUSES = { reading = true, complete = true, abandoned = true }

-- What each kind changes. `is_value`: what may be written; `read`: what the book has; `is_still`: whether that is what
-- it was thought to be.
local KINDS = {
    rating = {
        is_value = function(value)
            return value == nil or (type(value) == "number" and value >= 1 and value <= 5 and value % 1 == 0)
        end,
        read = function(summary) return summary.rating ~= 0 and summary.rating or nil end, -- 0 is KOReader's "no stars"
        is_still = function(current, from) return current == from end,
    },
    status = {
        is_value = function(value) return value == nil or STATUSES[value] == true end,
        read = function(summary) return summary.status end,
        -- A book without a status is shown as "reading" by KOReader's lists and becomes it when it opens, whoever
        -- opens it and for however long. That is no decision of the reader's.
        is_still = function(current, from) return (current or "reading") == (from or "reading") end,
    },
}

--- @param changes table all of one book
function Changes:_make_for_book(changes)
    local work = { outcomes = {} }
    for _, change in ipairs(changes) do
        if type(change) == "table" and type(change.file) == "string" and change.file:sub(1, 1) == "/" then
            local outcome, id = self:_make(change, work), change.id
            local has_id = type(id) == "string" and id ~= "" and #id <= ID_LIMIT_BYTES
            if outcome and has_id then work.outcomes[id] = outcome end
        end
    end
    -- What is not on the disk may still be lost, so nothing is said of it.
    if work.changed and not self.deps.books:save(work.record) then return end
    self.closed_book_changed = self.closed_book_changed or (work.changed and not work.record.ui)
    for id, outcome in pairs(work.outcomes) do self.outcomes[id] = outcome end
end

--- @return string|nil outcome, nil if there is nothing to say
function Changes:_make(change, work)
    if change.kind == "position" then return self:_go(change) end
    if change.kind == "annotations" then return self:_place(change, work) end
    local kind = KINDS[change.kind]
    if not kind or change.from == nil or change.to == nil then return nil end -- null is there, nothing is not
    local from, to = Json.present(change.from), Json.present(change.to)
    if not kind.is_value(to) then return nil end
    local missing = self:_look_up(change.file, work)
    if missing then return missing == "gone" and "gone" or nil end
    local current = kind.read(work.record.summary)
    if current == to then return "done" end
    if not kind.is_still(current, from) then return "other" end
    work.record.summary[change.kind], work.record.summary_changed, work.changed = to, true, true
    return "done"
end

--- @return string|nil why the book's record cannot be changed, as booklore_books says it
function Changes:_look_up(file, work)
    if not work.record and not work.missing then work.record, work.missing = self.deps.books:record(file) end
    return work.missing
end

--- Highlights, notes and bookmarks. One without an id could not be reported, and would come again for ever.
function Changes:_place(change, work)
    if type(change.id) ~= "string" then return nil end
    local missing = self:_look_up(change.file, work)
    if missing then return missing == "gone" and "gone" or nil end
    if work.record.ui and not self.deps.is_free() then
        self:_put_off(change)
        return nil
    end
    local words, changed = self.deps.placing:apply(work.record, change.items)
    work.changed = work.changed or changed
    return words and table.concat(words, " ")
end

--- Not on a device that falls asleep: nobody would see it, and the jump would end the journal's pause. What nobody was
--- asked about, which has an id, never takes the reader back.
function Changes:_go(change)
    local fraction = change.fraction
    if type(fraction) ~= "number" or not (fraction >= 0 and fraction <= 1) then return nil end
    if not self.deps.is_awake() then return nil end
    return self.deps.books:go(change.file, change, change.id ~= nil)
end

function Changes:_guarded(action)
    local ok, problem = pcall(action, self)
    if not ok then self.deps.log_error(problem) end
end

return Changes

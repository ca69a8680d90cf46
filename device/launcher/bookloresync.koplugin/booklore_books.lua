--- What KOReader itself keeps about a book, to be changed: its stars, its status, the place where it is open.
--
-- Promises: a book is named by its file and no other is touched. What is written goes the way KOReader's own dialogs
-- write it: into the settings of the open book, or into the sidecar of a closed one, never where there is none yet.
-- Nothing of a closed book while another is just being opened: KOReader holds settings then that nobody can see.
-- Decides nothing. Called by booklore_changes, in ticks of their own, never by an event handler.

local PAGES_NEAR, FRACTION_NEAR = 3, 0.02 -- of a place to the fraction that came with it

local Books = {}
Books.__index = Books

--- @param deps table
--   view          fn → table|nil, the plugin's instance of the window that is there: {ui, book = path once it is open}
--   doc_settings  KOReader's DocSettings
--   book_list     KOReader's BookList, which remembers what lists show of a book; nil where there is none
--   real_path     fn(path) → string|nil, nil if nothing is there
--   event         fn(name, ...) → event
--   today         fn → string, as KOReader writes a date
--   log_error     fn(text)
function Books:new(deps)
    return setmetatable({ deps = deps }, self)
end

--- @return table|nil the reader's window, if this book is open in it and ready
function Books:_window(file)
    local view = self.deps.view()
    local open = view and view.book
    if not open or not view.ui.document then return nil end
    if open == file then return view.ui end
    local real = self.deps.real_path(file)
    return real and real == self.deps.real_path(open) and view.ui or nil
end

function Books:_is_opening()
    local view = self.deps.view()
    return view ~= nil and view.ui.document ~= nil and view.book == nil
end

--- @return table|nil record {file, ui|nil, settings, summary} to be changed and given to `save`; whoever changes the
--   summary sets `summary_changed`
-- @return string|nil without a record: "gone" if there is none, "later" if it cannot be looked at now
function Books:record(file)
    local ui = self:_window(file)
    if ui then
        local settings = ui.doc_settings
        return { file = file, ui = ui, settings = settings, summary = settings:readSetting("summary", {}) }
    end
    if self:_is_opening() then return nil, "later" end
    if not self.deps.real_path(file) or not self.deps.doc_settings:hasSidecarFile(file) then return nil, "gone" end
    local settings = self.deps.doc_settings:open(file)
    -- Of a sidecar that cannot be read KOReader makes one that has nothing but the book's path.
    local saved = false
    for name in pairs(settings.data) do saved = saved or name ~= "doc_path" end
    local summary = settings:readSetting("summary", {})
    if not saved or type(summary) ~= "table" then return nil, "gone" end
    return { file = file, settings = settings, summary = summary }
end

--- @return boolean whether it is on the disk
function Books:save(record)
    if record.summary_changed then
        record.summary.modified = self.deps.today()
        record.settings:saveSetting("summary", record.summary)
    end
    local saved = record.settings:flush() and true or false
    self:_guarded(self._refresh, record)
    return saved
end

--- What KOReader's lists remember is told, or forgotten where the list would read it anew.
function Books:_refresh(record)
    local list = self.deps.book_list
    if list and record.ui then
        list.setBookInfoCacheProperty(record.file, "status", record.summary.status)
        list.setBookInfoCacheProperty(record.file, "rating", record.summary.rating)
    elseif list then
        list.resetBookInfoCache(record.file)
    end
end

--- The file browser, if it is what is there, shows stars and marks of books.
function Books:redraw_browser()
    local view = self.deps.view()
    local chooser = view and view.ui.file_chooser
    if chooser then self:_guarded(chooser.refreshPath, nil, chooser) end
end

--- KOReader's own progress counts pages, and leaves out what the reader hid from the flow of the book.
local function page_at(document, fraction)
    local hidden = document.hasHiddenFlows and document:hasHiddenFlows()
    local pages = hidden and document:getTotalPagesInFlow(0) or document:getPageCount()
    local number = math.max(1, math.min(pages, math.floor(fraction * pages + 0.5)))
    if not hidden then return number end
    local page = 0
    for _ = 1, number do
        local following = document:getNextPage(page)
        if following == 0 then break end
        page = following
    end
    return math.max(1, page)
end

--- Whether the text has this place, and not far from where it is said to be: another edition may call another one so.
local function has_place(ui, xpointer, page)
    if not ui.rolling or type(xpointer) ~= "string" then return false end
    if not ui.document:isXPointerInDocument(xpointer) then return false end
    local distance = math.abs(ui.document:getPageFromXPointer(xpointer) - page)
    return distance <= math.max(PAGES_NEAR, ui.document:getPageCount() * FRACTION_NEAR)
end

--- @param change table fraction; page|nil of a book with fixed pages, xpointer|nil of text that flows
-- @param only_forwards boolean
-- @return string|nil "done": it is there now; "other": it is further on; nil if it is not open
function Books:go(file, change, only_forwards)
    local ui = self:_window(file)
    if not ui then return nil end
    local page = page_at(ui.document, change.fraction)
    if ui.paging and type(change.page) == "number" and change.page % 1 == 0 and change.page >= 1
        and change.page <= ui.document:getPageCount() then
        page = change.page
    end
    local exact, current = has_place(ui, change.xpointer, page), ui:getCurrentPage()
    if only_forwards and page < current then return "other" end
    if not exact and page == current then return "done" end
    if ui.link and ui.link.addCurrentLocationToStack then ui.link:addCurrentLocationToStack() end
    ui:handleEvent(exact and self.deps.event("GotoXPointer", change.xpointer) or self.deps.event("GotoPage", page))
    return "done"
end

--- What KOReader remembers for its lists is a convenience: the change is made all the same.
function Books:_guarded(action, argument, owner)
    local ok, problem = pcall(action, owner or self, argument)
    if not ok then self.deps.log_error(problem) end
end

return Books

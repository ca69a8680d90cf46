--- KOReader's highlights, notes and bookmarks of an open book, and the text that they are in, as far as the launcher
--- touches them.
--
-- Promises: faithful where KOReader is treacherous. It looks at the first mark's page to know the kind of all, puts the
-- other kind aside, and sorts a record that was modified from outside by comparing places in the text, with a
-- comparison that is none for places that do not exist; an unknown place is on page 1. Before v2025.04
-- (`world.old_annotations`) a mark that is added gets the time of now, and nobody notes when one was edited.
-- Used by front_end.lua. Orders and names as in KOReader v2024.07 to August 2026.
--
-- The text: `book.words` are the paragraphs by page, a paragraph a page; places are what `book.xpointer` answers, with
-- another number of characters at their end.

local FakeAnnotations = {}

local STAMP = "%Y-%m-%d %H:%M:%S"

-- ------------------------------------------------------------------------------------------------ the text

--- Page and offset of a place, nil if there is none of it.
local function resolver(book)
    local pages
    return function(xpointer)
        if not pages then
            pages = {}
            for page = 1, book.pages do pages[book.xpointer(page):gsub("%.%d+$", "")] = page end
        end
        assert(type(xpointer) == "string", "bad argument #2 (string expected)") -- the engine raises for anything else
        local way, offset = xpointer:match("^(.*)%.(%d+)$")
        local page = pages[way or xpointer]
        local words = page and book.words and book.words[page]
        if words and tonumber(offset or 0) > #words then return nil end
        return page, tonumber(offset or 0)
    end
end

local function text_document(document, book)
    local resolve = resolver(book)
    local function place(page, offset) return (book.xpointer(page):gsub("%.%d+$", "." .. offset)) end
    function document.isXPointerInDocument(_, xpointer) return resolve(xpointer) ~= nil end
    function document.getPageFromXPointer(_, xpointer) return resolve(xpointer) or 1 end
    --- 1 if the second is behind the first; nothing if one does not exist.
    function document.compareXPointers(_, one, other)
        local page, offset = resolve(one)
        local other_page, other_offset = resolve(other)
        if not page or not other_page then return nil end
        if page == other_page and offset == other_offset then return 0 end
        return (other_page > page or (other_page == page and other_offset > offset)) and 1 or -1
    end
    --- The engine does not mind which comes first.
    function document.getTextFromXPointers(_, one, other)
        if document:compareXPointers(one, other) == -1 then one, other = other, one end
        local page, offset = resolve(one)
        local last_page, last_offset = resolve(other)
        if not page or not last_page then return nil end
        local parts = {}
        for number = page, last_page do
            local words = book.words and book.words[number] or ""
            local first, last = number == page and offset + 1 or 1, number == last_page and last_offset or #words
            parts[#parts + 1] = words:sub(first, last)
        end
        return table.concat(parts, "\n")
    end
    function document.findAllText(_, pattern, _, _, hits_most)
        assert(not pattern:find("\n"), "the engine finds nothing across paragraphs")
        document.searches = (document.searches or 0) + 1
        local hits = {}
        for page = 1, book.pages do
            local words, from = book.words and book.words[page] or "", 1
            while #hits < hits_most do
                local first, last = words:find(pattern, from, true)
                if not first then break end
                hits[#hits + 1] = { start = place(page, first - 1), ["end"] = place(page, last) }
                from = last + 1
            end
        end
        if #hits > 0 then return hits, #hits end
    end
end

-- ------------------------------------------------------------------------------------------------ KOReader's list

local function in_order(ui, one, other)
    if ui.paging then
        if one.page == other.page then return not one.drawer end
        return one.page < other.page
    end
    local page, other_page = ui.document:getPageFromXPointer(one.page), ui.document:getPageFromXPointer(other.page)
    if page ~= other_page then return page < other_page end
    if (not one.drawer) ~= (not other.drawer) then return not one.drawer end
    local order = ui.document:compareXPointers(one.page, other.page)
    if order == nil then return true end -- which is how sorting can fail
    return order > 0
end

local function annotation_module(world, ui)
    local module = { annotations = {} }
    local function number(mark)
        mark.pageno = ui.rolling and ui.document:getPageFromXPointer(mark.page) or mark.page
    end
    function module.addItem(annotation, mark)
        assert(annotation == module, "called without its table")
        if world.old_annotations or not mark.datetime then mark.datetime = os.date(STAMP) end
        number(mark)
        local first, last, index = 1, #module.annotations, 1
        while first <= last do
            local middle = math.floor((first + last) / 2)
            if in_order(ui, mark, module.annotations[middle]) then
                last, index = middle - 1, middle
            else
                first, index = middle + 1, middle + 1
            end
        end
        table.insert(module.annotations, index, mark)
        return index
    end
    function module.read(settings)
        local list, kind = settings:readSetting("annotations"), ui.rolling and "string" or "number"
        module.needs_update = list ~= nil and settings:readSetting("annotations_externally_modified") == true
        settings:delSetting("annotations_externally_modified")
        if list == nil then return end
        if #list > 0 and type(list[1].page) ~= kind then
            settings:saveSetting(ui.rolling and "annotations_paging" or "annotations_rolling", list)
            list = settings:readSetting(ui.rolling and "annotations_rolling" or "annotations_paging") or {}
        end
        module.annotations = list
    end
    function module.when_ready()
        if not module.needs_update then return end
        for _, mark in ipairs(module.annotations) do number(mark) end
        table.sort(module.annotations, function(one, other) return in_order(ui, one, other) end)
    end
    function module.modified(news)
        world.announced[#world.announced + 1] = news
        local is_edit = news.index_modified == nil
        if is_edit and not world.old_annotations then news[1].datetime_updated = os.date(STAMP) end
    end
    return module
end

--- Draws as KOReader does: page by page in order, and only what it can compare.
function FakeAnnotations.shown(front_end, page)
    local ui, found = front_end.window, {}
    for _, mark in ipairs(ui.annotation.annotations) do
        local at = ui.rolling and ui.document:getPageFromXPointer(mark.page) or mark.page
        if at > page then break end
        if at == page then found[#found + 1] = mark.text:sub(1) end
    end
    return table.concat(found, "|")
end

function FakeAnnotations.attach(world, ui, book)
    world.announced, world.repaints = {}, world.repaints or 0
    if ui.rolling then text_document(ui.document, book) end
    function ui.document.getPageBoxesFromPositions(_, page, pos0, pos1)
        assert(page <= book.pages and pos0.page == page and pos1.page == page, "no such page")
        return pos0.y < 1000 and { { x = pos0.x, y = pos0.y, w = pos1.x - pos0.x, h = 12 } } or {}
    end
    ui.annotation = annotation_module(world, ui)
    ui.toc = { getTocTitleByPage = function(_, place)
        local page = ui.rolling and ui.document:getPageFromXPointer(place) or place
        return book.chapters and book.chapters(page) or ""
    end }
    ui.view.resetHighlightBoxesCache = function(view) view.boxes_forgotten = true end
    ui.view.footer.maybeUpdateFooter = function() end
    ui.bookmark = {
        getCurrentPageNumber = function() return ui.rolling and book.xpointer(book.page) or book.page end,
        setDogearVisibility = function(bookmark, place) bookmark.dog_ear_asked_for = place end,
    }
    ui.highlight = { written = {}, writePdfAnnotation = function(highlight, action, mark)
        table.insert(highlight.written, action .. " " .. mark.datetime)
    end }
end

return FakeAnnotations

--- What KOReader knows about the open book, in the words of docs/protocol.md.
--
-- Promises: only values of the expected type, bounded, so that one journal line stays far below 64 KiB. Never touches
-- the book itself except for its size, never makes KOReader render anything: a place is what KOReader holds in memory
-- at that moment. Called by main.lua when a book opens, is read and closes.

local Json = require("booklore_json")
local lfs = require("libs/libkoreader-lfs")

-- Real titles and names are shorter, but some EPUBs carry a blurb in the author field. All fields at their limits make
-- 28 KiB with the longest path Linux allows, so a line passes 64 KiB only if it consists of control characters.
local TEXT_LIMIT_BYTES = 2048
local ENTRY_LIMIT_BYTES = 512
local LIST_LIMIT = 16
local LABEL_LIMIT_BYTES = 128 -- a page number of a printed edition, but it comes out of the book's own file
local XPOINTER_LIMIT_BYTES = 2048 -- a way through the tags of one chapter; longer ones are not half a place but none

local Reading = {}

local function text(value, limit_bytes)
    if type(value) ~= "string" or value == "" then return nil end
    if #value <= limit_bytes then return value end
    -- Cut before a character, not inside it: continuation bytes are 0x80 to 0xBF.
    while limit_bytes > 0 and value:byte(limit_bytes + 1) >= 0x80 and value:byte(limit_bytes + 1) < 0xC0 do
        limit_bytes = limit_bytes - 1
    end
    return value:sub(1, limit_bytes)
end

local function lines(value)
    if type(value) ~= "string" then return nil end
    local entries = {}
    for line in value:gmatch("[^\r\n]+") do
        if #entries < LIST_LIMIT then entries[#entries + 1] = text(line, ENTRY_LIMIT_BYTES) end
    end
    return #entries > 0 and Json.list(entries) or nil
end

local function number(value)
    return type(value) == "number" and value or nil
end

local function book_of(ui)
    local file = ui.document.file
    local props = ui.doc_props or {} -- with the reader's own corrections, but reduced to what KOReader shows
    local saved_props = ui.doc_settings:readSetting("doc_props") or {}
    local suffix = file:match("%.([^./]+)$")
    local series = text(props.series, TEXT_LIMIT_BYTES)
    return Json.object({
        { "file", file },
        { "size_bytes", number(lfs.attributes(file, "size")) },
        { "format", suffix and text(suffix:lower(), ENTRY_LIMIT_BYTES) },
        { "fingerprint", text(ui.doc_settings:readSetting("partial_md5_checksum"), ENTRY_LIMIT_BYTES) },
        { "title", text(props.title, TEXT_LIMIT_BYTES) or text(props.display_title, TEXT_LIMIT_BYTES) },
        { "authors", lines(props.authors) },
        { "identifiers", lines(saved_props.identifiers) },
        { "series", series },
        { "series_index", series and tonumber(props.series_index) },
        { "language", text(props.language, ENTRY_LIMIT_BYTES) },
    })
end

--- @return number|nil
function Reading.pages(ui)
    return number(ui.document:getPageCount())
end

--- @return number|nil page, number|nil pages
function Reading.page(ui)
    return number(ui:getCurrentPage()), Reading.pages(ui)
end

--- KOReader's own progress, which leaves out what the reader hid from the flow of the book. The footer computes it at
--- each page, before the plugins hear of the page, also while it is not shown.
local function fraction_of(ui)
    local footer = ui.view and ui.view.footer
    local fraction = number(footer and footer.percent_finished)
    return fraction and fraction >= 0 and fraction <= 1 and fraction or nil
end

local function label_of(ui)
    if not ui.pagemap or not ui.pagemap:wantsPageLabels() then return nil end
    return text(ui.pagemap:getCurrentPageLabel(true), LABEL_LIMIT_BYTES)
end

local function whole_xpointer(value)
    return type(value) == "string" and #value <= XPOINTER_LIMIT_BYTES and text(value, XPOINTER_LIMIT_BYTES) or nil
end

--- Where the book is now, 0 to 1, or nil.
function Reading.fraction(ui)
    local ok, fraction = pcall(fraction_of, ui)
    return ok and fraction or nil
end

--- @return table fields of the line `page`
function Reading.page_place(ui)
    -- KOReader raises where there is no label. That of the page on screen is remembered, else a binary search.
    local ok, label = pcall(label_of, ui)
    return { { "fraction", fraction_of(ui) }, { "label", ok and label or nil } }
end

--- @return table fields of the line `suspend`: where the text goes on, however it will be laid out then
function Reading.text_place(ui)
    return { { "xpointer", whole_xpointer(ui.rolling and ui.rolling.xpointer) } }
end

--- @return table fields of the lines `open` and `close`
function Reading.full_place(ui)
    local fields = Reading.page_place(ui)
    fields[#fields + 1] = Reading.text_place(ui)[1]
    return fields
end

--- @return table {book, page, pages, place} for the line `open`
function Reading.describe(ui)
    local page, pages = Reading.page(ui)
    return { book = book_of(ui), page = page, pages = pages, place = Reading.full_place(ui) }
end

--- The fields of the line `snapshot`. Right only after KOReader has saved the book's settings, that is at CloseWidget.
function Reading.snapshot(ui)
    local saved = ui.doc_settings
    local summary = saved:readSetting("summary") or {}
    local xpointer = whole_xpointer(saved:readSetting("last_xpointer"))
    return {
        { "fraction", number(saved:readSetting("percent_finished")) },
        { "xpointer", xpointer },
        { "last_page", not xpointer and number(saved:readSetting("last_page")) or nil },
        { "rating", number(summary.rating) },
        { "status", text(summary.status, ENTRY_LIMIT_BYTES) },
        { "changed_on", text(summary.modified, ENTRY_LIMIT_BYTES) },
    }
end

return Reading

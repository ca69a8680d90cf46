--- Highlights, notes and bookmarks that a result brings: into the right book, where their words are, and never so that
--- a book cannot be opened any longer.

local Check = require("check")
local FakeAnnotations = require("fake_annotations")
local cjson = require("cjson")

local test, equal, matches = Check.test, Check.equal, Check.matches

local null = cjson.null
local STAMP = "^%d%d%d%d%-%d%d%-%d%d %d%d:%d%d:%d%d$"

local function place(page, offset)
    return ("/body/DocFragment[4]/body/p[%d]/text().%d"):format(page, offset or 0)
end

-- A page each, so that a place's page is its paragraph.
local WORDS = {}
for page = 1, 600 do WORDS[page] = ("This is what page %d of this book says, and nothing else."):format(page) end
WORDS[12] = "Call me Ishmael. Some years ago, never mind how long precisely."
WORDS[300] = "Call me Ishmael. Said he again."
WORDS[400], WORDS[401] = ("In the same words, "):rep(3), ("In the same words, "):rep(3)
WORDS[301] = "One must look again, and again, and again."

local function both(one, other)
    local fields = {}
    for _, some in ipairs({ one, other or {} }) do
        for name, value in pairs(some) do fields[name] = value end
    end
    for name, value in pairs(fields) do
        if value == "none" then fields[name] = nil end
    end
    return fields
end

--- A highlight as it comes, "Call me Ishmael." on page 12; `change` names other fields, "none" for without.
local function highlight(change)
    return { ["do"] = "add", kind = "highlight", to = both({
        datetime = "2026-11-24 18:30:02", pos0 = place(12), pos1 = place(12, 16), text = "Call me Ishmael.",
        drawer = "lighten", color = "green", note = "From the web", chapter = "Loomings", fraction = 0.02,
    }, change) }
end

local function bookmark(page, change)
    local to = both({ datetime = "2026-11-24 18:31:00", page = place(page) }, change)
    return { ["do"] = "add", kind = "bookmark", to = to }
end

--- A mark as the book has it.
local function mark(page, change)
    return both({
        datetime = "2026-11-20 21:04:09", drawer = "lighten", color = "yellow", text = WORDS[page]:sub(1, 16),
        chapter = "Old", pageno = page, page = place(page), pos0 = place(page), pos1 = place(page, 16),
        note = "Mine", text_edited = true, pageref = "9",
    }, change)
end

local function dog_ear(page)
    return { datetime = "2026-11-21 08:00:00", page = place(page), pageno = page, text = "in Old" }
end

local function remove(kind, from) return { ["do"] = "remove", kind = kind, from = from } end

local function edit(kind, from, to) return { ["do"] = "edit", kind = kind, from = from, to = to } end

--- What the n-th run reports of the change.
local function reported(world, n)
    equal(Check.starts(world) >= n, true, "a report")
    equal(world.spawned[n].job.verb, "applied", "verb")
    return world.spawned[n].job.arguments["12-marks-1"]
end

local function answer(world, n, file, items, change)
    Check.answer(world, n, { changes = {
        both({ id = "12-marks-1", kind = "annotations", file = file, items = items }, change),
    } })
    world:pass(2)
end

local function no_errors(world)
    equal(#world.errors, 0, "errors: " .. table.concat(world.errors, "; "))
end

local function book_with(folder, marks, change)
    local book = Check.book(folder)
    book.words, book.chapters = WORDS, function(page) return page < 100 and "Loomings" or "The Whale" end
    book.sidecar.annotations, book.sidecar.last_xpointer = marks, place(12)
    if change then change(book) end
    return book
end

--- A book that is open with these marks. Its run has started.
local function opened(folder, marks, change)
    local world, front_end = Check.koreader(folder)
    local book = book_with(folder, marks, change)
    front_end:open(book)
    world:pass(3.5)
    return world, front_end, book.file, front_end.window.annotation.annotations
end

--- A book that was closed with these marks. Its run has started.
local function closed(folder, marks, change)
    local world, front_end = Check.koreader(folder)
    local book = book_with(folder, marks, change)
    front_end:open(book)
    front_end:close()
    return world, front_end, book.file, book
end

local function saved(world, file) return world.sidecars[file].annotations end

--- The lines `marks` of all journals.
local function told(folder)
    local found, folder_of_it = {}, folder .. "/bookloresync/journal/"
    for _, name in ipairs(Check.names(folder_of_it)) do
        for line in Check.read(folder_of_it .. name):gmatch("[^\n]+") do
            local read = cjson.decode(line)
            if read.ev == "marks" then found[#found + 1] = read end
        end
    end
    return found
end

-- ------------------------------------------------------------------------------------------------ the open book

test("a highlight is put into the open book, where its words are", function(folder)
    local world, front_end, file, marks = opened(folder, { mark(5), mark(40) })
    answer(world, 1, file, { highlight() })
    equal(reported(world, 2), "done", "report")
    equal(#marks, 3, "marks")
    local new = marks[2]
    equal(new.datetime, "2026-11-24 18:30:02", "datetime")
    equal(new.page, place(12), "page")
    equal(new.pageno, 12, "pageno")
    equal(new.chapter, "Loomings", "chapter")
    equal(new.color, "green", "color")
    equal(new.note, "From the web", "note")
    equal(new.fraction, nil, "what is not KOReader's")
    equal(FakeAnnotations.shown(front_end, 12), "Call me Ishmael.", "shown")
    no_errors(world)
end)

test("it is on the disk before it is reported", function(folder)
    local world, _, file = opened(folder, {})
    answer(world, 1, file, { highlight() })
    equal(saved(world, file)[1].text, "Call me Ishmael.", "saved")
    equal(world.sidecars[file].annotations_externally_modified, nil, "nothing for KOReader to do")
    equal(world.sidecars[file].summary.modified, "2026-11-20", "day of the reader's last change")
end)

test("a highlight that cannot be saved is not reported, and is done when it comes again", function(folder)
    local world, _, file, marks = opened(folder, {})
    world.sidecars_read_only = true
    answer(world, 1, file, { highlight() })
    equal(Check.starts(world), 1, "starts")
    world.sidecars_read_only = false
    package.loaded["booklore_process"].current.worker:request("tap", "sync")
    answer(world, 2, file, { highlight() })
    equal(#marks, 1, "marks")
    equal(reported(world, 3), "done", "report")
end)

test("an older KOReader, which dates everything that is added, keeps the date all the same", function(folder)
    local world, _, file, marks = opened(folder, {})
    world.old_annotations = true
    answer(world, 1, file, { highlight() })
    equal(marks[1].datetime, "2026-11-24 18:30:02", "datetime")
end)

test("KOReader and its plugins hear of a note that came", function(folder)
    local world, front_end, file = opened(folder, {})
    answer(world, 1, file, { highlight() })
    local news = world.announced[1]
    equal(news[1].text, "Call me Ishmael.", "what")
    equal(news.nb_notes_added, 1, "notes")
    equal(news.nb_highlights_added, nil, "highlights")
    equal(news.index_modified, 1, "index")
    equal(front_end.window.view.boxes_forgotten, true, "boxes")
    equal(world.repaints, 1, "repaints")
    equal(news[1].datetime_updated, nil, "not edited")
end)

test("a highlight without a note counts as a highlight", function(folder)
    local world, _, file = opened(folder, {})
    answer(world, 1, file, { highlight({ note = null, color = null }) })
    equal(world.announced[1].nb_highlights_added, 1, "highlights")
    equal(world.announced[1][1].note, nil, "note")
end)

test("a page bookmark gets KOReader's own words, and the dog-ear is looked at", function(folder)
    local world, front_end, file, marks = opened(folder, {})
    answer(world, 1, file, { bookmark(12) })
    equal(reported(world, 2), "done", "report")
    equal(marks[1].text, "in Loomings", "text")
    equal(marks[1].drawer, nil, "drawer")
    equal(front_end.window.bookmark.dog_ear_asked_for, place(12), "dog-ear")
end)

test("a page bookmark may name its place as pos0, with a page number beside it", function(folder)
    local world, _, file, marks = opened(folder, {})
    answer(world, 1, file, { bookmark(12, { page = 12, pos0 = place(12) }) })
    equal(reported(world, 2), "done", "report")
    equal(marks[1].page, place(12), "page")
    equal(marks[1].pos0, nil, "pos0")
end)

test("a highlight at another place than its words is put where they are, near it", function(folder)
    local world, front_end, file, marks = opened(folder, {})
    answer(world, 1, file, { highlight({ pos0 = place(14), pos1 = place(14, 16) }) })
    equal(reported(world, 2), "moved", "report")
    equal(marks[1].pos0, place(12), "pos0")
    equal(marks[1].page, place(12), "page")
    equal(marks[1].pos1, place(12, 16), "pos1")
    equal(FakeAnnotations.shown(front_end, 12), "Call me Ishmael.", "shown")
end)

test("where it went is in the journal", function(folder)
    local world, front_end, file = opened(folder, {})
    answer(world, 1, file, { highlight({ pos0 = place(14), pos1 = place(14, 16) }) })
    front_end:close()
    local new = told(folder)[1].changed[1]
    equal(new.datetime, "2026-11-24 18:30:02", "datetime")
    equal(new.pos0, place(12), "pos0")
end)

test("a highlight that was moved and comes again is there already", function(folder)
    local world, _, file, marks = opened(folder, {})
    answer(world, 1, file, { highlight({ pos0 = place(14), pos1 = place(14, 16) }) })
    Check.answer(world, 2)
    world:pass(2)
    package.loaded["booklore_process"].current.worker:request("tap", "sync")
    answer(world, 3, file, { highlight({ pos0 = place(14), pos1 = place(14, 16) }) })
    equal(#marks, 1, "marks")
    equal(reported(world, 4), "moved", "report")
end)

test("a place that is not in the book goes by the fraction", function(folder)
    local world, _, file, marks = opened(folder, {})
    answer(world, 1, file, { highlight({ pos0 = "/body/DocFragment[9]/body/p/text().0", fraction = 0.5 }) })
    equal(reported(world, 2), "moved", "report")
    equal(marks[1].pos0, place(300), "pos0")
end)

test("words that are there twice, and neither near, have no place", function(folder)
    local world, _, file, marks = opened(folder, {})
    answer(world, 1, file, { highlight({ pos0 = "/body/DocFragment[9]/body/p/text().0", fraction = 0.9 }) })
    equal(reported(world, 2), "unplaced", "report")
    equal(#marks, 0, "marks")
    equal(#world.announced, 0, "announced")
end)

test("long words that are there only once are found wherever they are", function(folder)
    local world, _, file, marks = opened(folder, {})
    local text = "This is what page 555 of this book says"
    answer(world, 1, file, { highlight({ text = text, fraction = "none" }) })
    equal(reported(world, 2), "moved", "report")
    equal(marks[1].pos1, place(555, #text), "pos1")
end)

test("long words that are there twice tell no place either", function(folder)
    local world, _, file = opened(folder, {})
    answer(world, 1, file, { highlight({ text = WORDS[400], fraction = 0.1, pos0 = place(601) }) })
    equal(reported(world, 2), "unplaced", "report")
end)

test("a highlight that would be moved to where another one is is left out", function(folder)
    local world, _, file, marks = opened(folder, { mark(12) })
    answer(world, 1, file, { highlight({ pos0 = place(14), pos1 = place(14, 16) }) })
    equal(reported(world, 2), "other", "report")
    equal(#marks, 1, "marks")
end)

test("words that are on the page several times have no place", function(folder)
    local world, _, file = opened(folder, {})
    answer(world, 1, file, { highlight({ pos0 = place(301, 2), pos1 = place(301, 5), text = "again" }) })
    equal(reported(world, 2), "unplaced", "report")
end)

test("words across paragraphs are found by their beginning and their end", function(folder)
    local world, _, file, marks = opened(folder, {})
    local text = ("of this book says, and nothing else.\n%s\nThis is what"):format(WORDS[200])
    answer(world, 1, file, { highlight({ pos0 = place(201), pos1 = place(201, 3), text = text }) })
    equal(reported(world, 2), "moved", "report")
    equal(marks[1].pos0, place(199, 22), "pos0")
    equal(marks[1].pos1, place(201, 12), "pos1")
end)

test("words that the web spaces otherwise are the same words", function(folder)
    local world, front_end, file = opened(folder, {})
    answer(world, 1, file, { highlight({ text = " Call\194\160me\n  Ish\194\173mael.\226\128\139" }) })
    equal(reported(world, 2), "done", "report")
    equal(front_end.window.document.searches, nil, "searches")
end)

test("a highlight from its end to its beginning is none", function(folder)
    local world, _, file, marks = opened(folder, {})
    answer(world, 1, file, { highlight({ pos0 = place(12, 16), pos1 = place(12, 0) }) })
    equal(reported(world, 2), "moved", "report")
    equal(marks[1].pos0, place(12), "pos0")
end)

test("a search for more than a few goes on the next time", function(folder)
    local world, front_end, file = opened(folder, {})
    local items = {}
    for index = 1, 5 do
        items[index] = highlight({ datetime = "2026-11-24 18:30:0" .. index, text = "Nowhere " .. index })
    end
    answer(world, 1, file, items)
    equal(reported(world, 2), "unplaced unplaced later later later", "report")
    equal(front_end.window.document.searches, 2, "searches")
end)

test("a bookmark at a place that the book has not has no place", function(folder)
    local world, _, file, marks = opened(folder, {})
    answer(world, 1, file, { bookmark(601) })
    equal(reported(world, 2), "unplaced", "report")
    equal(#marks, 0, "marks")
end)

test("another mark at exactly the place is left as it is", function(folder)
    local world, _, file, marks = opened(folder, { mark(12), dog_ear(13) })
    answer(world, 1, file, { highlight(), bookmark(13) })
    equal(reported(world, 2), "other other", "report")
    equal(#marks, 2, "marks")
    equal(marks[1].note, "Mine", "note")
end)

test("a highlight and a bookmark may begin at the same place", function(folder)
    local world, _, file, marks = opened(folder, { dog_ear(12) })
    answer(world, 1, file, { highlight() })
    equal(reported(world, 2), "done", "report")
    equal(#marks, 2, "marks")
end)

test("an edit changes what it names and nothing else", function(folder)
    local world, _, file, marks = opened(folder, { mark(12, { note_format = "md", ext = "x" }) })
    answer(world, 1, file, { edit("highlight", {
        datetime = "2026-11-20 21:04:09", pos0 = place(12), pos1 = place(12, 16), note = "Mine", color = "yellow",
    }, { note = "Ours", color = "red" }) })
    equal(reported(world, 2), "done", "report")
    local now = marks[1]
    equal(now.note, "Ours", "note")
    equal(now.color, "red", "color")
    equal(now.drawer, "lighten", "drawer")
    equal(now.datetime, "2026-11-20 21:04:09", "datetime")
    matches(now.datetime_updated, STAMP, "datetime_updated")
    equal(now.text_edited and now.note_format .. now.ext .. now.pageref, "mdx9", "what is KOReader's")
    equal(saved(world, file)[1].note, "Ours", "saved")
    equal(world.announced[1].index_modified, nil, "an edit")
    equal(world.announced[1].nb_notes_added, nil, "still a note")
end)

test("a note that is taken away makes a highlight of a note", function(folder)
    local world, _, file, marks = opened(folder, { mark(12) })
    answer(world, 1, file, { edit("highlight", { datetime = "2026-11-20 21:04:09" }, { note = null }) })
    equal(marks[1].note, nil, "note")
    equal(world.announced[1].nb_notes_added, -1, "notes")
    equal(world.announced[1].nb_highlights_added, 1, "highlights")
end)

test("an edit of what the reader has edited meanwhile is left", function(folder)
    local world, _, file, marks = opened(folder, { mark(12) })
    answer(world, 1, file, { edit("highlight", { datetime = "2026-11-20 21:04:09", note = "Before" }, { note = "x" }) })
    equal(reported(world, 2), "other", "report")
    equal(marks[1].note, "Mine", "note")
end)

test("an edit that is made already is done, and nothing is written", function(folder)
    local world, _, file = opened(folder, { mark(12, { note = "x" }) })
    local flushes = world.sidecar_flushes
    answer(world, 1, file, { edit("highlight", { datetime = "2026-11-20 21:04:09", note = "Before" }, { note = "x" }) })
    equal(reported(world, 2), "done", "report")
    equal(world.sidecar_flushes, flushes, "times saved")
end)

test("an edit of a mark that is not there says so", function(folder)
    local world, _, file = opened(folder, {})
    answer(world, 1, file, { edit("highlight", { datetime = "2026-11-20 21:04:09" }, { note = "x" }) })
    equal(reported(world, 2), "missing", "report")
end)

test("a mark that has been moved is found by its date, one of two of a date by its place", function(folder)
    local first, second = "2026-11-20 21:04:09", "2026-11-22 10:00:00"
    local world, _, file, marks = opened(folder, { mark(12), mark(13), mark(14, { datetime = second }) })
    local function note(datetime, page, text)
        return edit("highlight", { datetime = datetime, pos0 = place(page), pos1 = place(page, 16) }, { note = text })
    end
    answer(world, 1, file, {
        note(first, 13, "13"), note(second, 99, "14"), note(first, 99, "?"), note(null, 12, "12"),
    })
    equal(reported(world, 2), "done done missing done", "report")
    equal(marks[1].note .. " " .. marks[2].note .. " " .. marks[3].note, "12 13 14", "notes")
end)

test("a mark that still is what it was is taken out", function(folder)
    local world, front_end, file, marks = opened(folder, { mark(12), dog_ear(13) })
    local at = "2026-11-20 21:04:09"
    answer(world, 1, file, {
        remove("highlight", { datetime = at, pos0 = place(12), pos1 = place(12, 16), note = "Mine" }),
        remove("bookmark", { datetime = "2026-11-21 08:00:00", page = place(13) }),
    })
    equal(reported(world, 2), "done done", "report")
    equal(#marks, 0, "marks")
    equal(world.announced[1].index_modified, -1, "index")
    equal(world.announced[1].nb_notes_added, -1, "notes")
    equal(world.announced[2].nb_notes_added, nil, "a bookmark counts as nothing")
    front_end:close()
    equal(#told(folder)[1].gone, 2, "gone")
end)

test("a mark that the reader has changed is not taken out, one that is not there is", function(folder)
    local world, _, file, marks = opened(folder, { mark(12) })
    answer(world, 1, file, {
        remove("highlight", { datetime = "2026-11-20 21:04:09", note = "Before" }),
        remove("highlight", { datetime = "2026-11-22 10:00:00" }),
    })
    equal(reported(world, 2), "other done", "report")
    equal(#marks, 1, "marks")
end)

test("a dialog over the page is finished first, and then marks are changed", function(folder)
    local world, _, file, marks = opened(folder, {})
    table.insert(world.windows, { handleEvent = function() return false end })
    answer(world, 1, file, { highlight() })
    world:pass(30)
    equal(#marks, 0, "marks")
    equal(Check.starts(world), 1, "starts")
    table.remove(world.windows)
    world:pass(3)
    equal(#marks, 1, "marks")
    equal(reported(world, 2), "done", "report")
    no_errors(world)
end)

test("a book that closes meanwhile gets its marks as a closed one", function(folder)
    local world, front_end, file = opened(folder, {})
    table.insert(world.windows, { handleEvent = function() return false end })
    answer(world, 1, file, { highlight() })
    table.remove(world.windows)
    front_end:close()
    world:pass(5)
    equal(saved(world, file)[1].text, "Call me Ishmael.", "saved")
    equal(world.sidecars[file].annotations_externally_modified, true, "for KOReader to order")
end)

test("after ten minutes of dialogs a change is given up, and may come again", function(folder)
    local world, _, file, marks = opened(folder, {})
    table.insert(world.windows, { handleEvent = function() return false end })
    answer(world, 1, file, { highlight() })
    world:pass(700)
    table.remove(world.windows)
    world:pass(700)
    equal(#marks, 0, "marks")
    equal(#world.queue, 0, "nothing waits")
end)

test("a change of marks without an id is not made", function(folder)
    local world, _, file, marks = opened(folder, {})
    answer(world, 1, file, { highlight() }, { id = "none" })
    equal(#marks, 0, "marks")
end)

test("stars and marks of one book are reported together", function(folder)
    local world, _, file = opened(folder, {})
    Check.answer(world, 1, { changes = {
        { id = "12-rating", kind = "rating", file = file, from = 4, to = 5 },
        { id = "12-marks-1", kind = "annotations", file = file, items = { highlight() } },
    } })
    world:pass(2)
    equal(world.spawned[2].job.arguments["12-rating"], "done", "stars")
    equal(world.spawned[2].job.arguments["12-marks-1"], "done", "marks")
    equal(world.sidecars[file].summary.rating, 5, "stars")
end)

test("each change of marks has a tick of its own, and one report names all", function(folder)
    local world, _, file, marks = opened(folder, {})
    Check.answer(world, 1, { changes = {
        { id = "12-marks-1", kind = "annotations", file = file, items = { highlight() } },
        { id = "12-marks-2", kind = "annotations", file = file, items = { bookmark(13) } },
    } })
    world:pass(3)
    equal(#marks, 2, "marks")
    equal(world.spawned[2].job.arguments["12-marks-1"], "done", "first")
    equal(world.spawned[2].job.arguments["12-marks-2"], "done", "second")
end)

-- ------------------------------------------------------------------------------------------------ fixed pages

local function fixed(book) book.xpointer = nil end

local function boxed(change)
    return { ["do"] = "add", kind = "highlight", to = both({
        datetime = "2026-11-24 18:30:02", page = 13, pos0 = { page = 13, x = 10, y = 20, secret = 1 },
        pos1 = { page = 13, x = 30, y = 20 }, text = "x", drawer = "lighten",
        pboxes = { { x = 1, y = 2, w = 3, h = 4 } },
    }, change) }
end

test("a mark on a fixed page goes by its number", function(folder)
    local world, front_end, file, marks = opened(folder, {}, fixed)
    answer(world, 1, file, {
        boxed(), { ["do"] = "add", kind = "bookmark", to = { datetime = "2026-11-24 18:31:00", page = 14 } },
    })
    equal(reported(world, 2), "done done", "report")
    equal(marks[1].pageno, 13, "pageno")
    equal(marks[1].pos0.secret, nil, "what is not KOReader's")
    equal(marks[2].page, 14, "page")
    equal(front_end.window.highlight.written[1], "save 2026-11-24 18:30:02", "offered to the file")
end)

test("the boxes of a highlight on a fixed page are KOReader's where none came", function(folder)
    local world, _, file, marks = opened(folder, {}, fixed)
    answer(world, 1, file, { boxed({ pboxes = "none" }), boxed({
        pboxes = "none", datetime = "2026-11-24 18:32:00", pos0 = { page = 13, x = 10, y = 2000 },
    }) })
    equal(reported(world, 2), "done unplaced", "report")
    equal(marks[1].pboxes[1].w, 20, "width")
end)

test("a highlight without boxes waits until the book is open", function(folder)
    local world, _, file = closed(folder, {}, fixed)
    answer(world, 1, file, { boxed({ pboxes = "none" }), boxed({ datetime = "2026-11-24 18:32:00" }) })
    equal(reported(world, 2), "later done", "report")
end)

test("a highlight on two fixed pages, which only KOReader can make, is none", function(folder)
    local world, _, file = opened(folder, {}, fixed)
    answer(world, 1, file, { boxed({ pos1 = { page = 14, x = 30, y = 20 } }) })
    equal(reported(world, 2), "unfit", "report")
end)

test("a fixed page that the book has not is no place", function(folder)
    local world, _, file = opened(folder, {}, fixed)
    answer(world, 1, file, {
        { ["do"] = "add", kind = "bookmark", to = { datetime = "2026-11-24 18:31:00", page = 601 } },
    })
    equal(reported(world, 2), "unplaced", "report")
end)

test("a place in text waits while the book is shown by fixed pages, and the other way round", function(folder)
    local world, _, file, marks = opened(folder, {}, fixed)
    answer(world, 1, file, { highlight() })
    equal(reported(world, 2), "later", "report")
    equal(#marks, 0, "marks")
end)

-- ------------------------------------------------------------------------------------------------ closed books

test("a highlight is put into the record of a closed book, for KOReader to order", function(folder)
    local world, _, file = closed(folder, { mark(5), mark(40) })
    answer(world, 1, file, { highlight() })
    equal(reported(world, 2), "done", "report")
    local new = saved(world, file)[2]
    equal(new.text, "Call me Ishmael.", "text")
    equal(new.chapter, "Loomings", "chapter")
    equal(new.page, place(12), "page")
    equal(world.sidecars[file].annotations_externally_modified, true, "for KOReader to order")
    equal(world.sidecars[file].summary.modified, "2026-11-20", "day of the reader's last change")
    equal(world.sidecars[file].partial_md5_checksum, "5d0c", "fingerprint")
    no_errors(world)
end)

test("it is shown at its page when the book opens, and stays after the book closes", function(folder)
    local world, front_end, file, book = closed(folder, { mark(5), mark(40) })
    answer(world, 1, file, { highlight({ fraction = 0.9 }), bookmark(30) })
    front_end:open(book)
    local marks = front_end.window.annotation.annotations
    equal(FakeAnnotations.shown(front_end, 12), "Call me Ishmael.", "shown")
    equal(marks[2].pageno, 12, "pageno")
    equal(marks[3].pageno, 30, "pageno")
    equal(marks[3].text, "in Loomings", "text")
    front_end:close()
    equal(#saved(world, file), 4, "saved")
    equal(world.sidecars[file].annotations_externally_modified, nil, "done")
    equal(world.sidecars[file].bookloresync_placed, nil, "what was remembered")
    no_errors(world)
end)

test("opening a book with what was put in tells the journal nothing", function(folder)
    local world, front_end, file, book = closed(folder, {})
    answer(world, 1, file, { highlight() })
    front_end:open(book)
    front_end:close()
    equal(#told(folder), 0, "lines")
end)

test("a highlight whose words are elsewhere is moved when the book opens, which is in the journal", function(folder)
    local world, front_end, file, book = closed(folder, {})
    answer(world, 1, file, { highlight({ pos0 = place(14), pos1 = place(14, 16) }) })
    equal(reported(world, 2), "done", "report")
    front_end:open(book)
    equal(FakeAnnotations.shown(front_end, 12), "Call me Ishmael.", "shown")
    front_end:close()
    local changed = told(folder)[1].changed[1]
    equal(changed.pos0, place(12), "pos0")
    equal(changed.was.pos0, place(14), "pos0 before")
    equal(#told(folder)[1].gone, 0, "gone")
end)

test("a highlight without a place is taken out when the book opens, which is nobody's deletion", function(folder)
    local world, front_end, file, book = closed(folder, { mark(5) })
    answer(world, 1, file, { highlight({ text = "Nowhere at all" }) })
    front_end:open(book)
    equal(#front_end.window.annotation.annotations, 1, "marks")
    front_end:close()
    equal(#saved(world, file), 1, "saved")
    local line = told(folder)[1]
    equal(#line.gone, 0, "gone")
    equal(line.unplaced[1].datetime, "2026-11-24 18:30:02", "datetime")
    no_errors(world)
end)

test("what had no place in the book is not put into it again, however often it comes", function(folder)
    local world, front_end, file, book = closed(folder, {})
    answer(world, 1, file, { highlight({ text = "Nowhere at all" }) })
    Check.answer(world, 2)
    world:pass(2)
    front_end:open(book)
    front_end:close()
    world:pass(10)
    answer(world, 3, file, { highlight({ text = "Nowhere at all" }), highlight({ datetime = "2026-11-25 10:00:00" }) })
    equal(reported(world, 4), "unplaced done", "report")
    equal(#saved(world, file), 1, "marks")
end)

test("many marks at places that do not exist do not keep a book from opening", function(folder)
    local world, front_end, file, book = closed(folder, { mark(5) })
    local items = {}
    for index = 1, 40 do
        items[index] = highlight({
            datetime = ("2026-11-24 18:30:%02d"):format(index), pos0 = "/body/DocFragment[99]/body/p/text()." .. index,
        })
    end
    answer(world, 1, file, items)
    equal(#saved(world, file), 41, "saved")
    front_end:open(book)
    equal(#front_end.window.annotation.annotations, 2, "marks, one of them found by its words")
    front_end:close()
    no_errors(world)
end)

test("without what puts them in order, the same marks keep KOReader from opening the book", function(folder)
    local world, front_end, file, book = closed(folder, { mark(5) })
    local items = {}
    for index = 1, 40 do
        items[index] = highlight({
            datetime = ("2026-11-24 18:30:%02d"):format(index), pos0 = "/body/DocFragment[99]/body/p/text()." .. index,
        })
    end
    answer(world, 1, file, items)
    world.sidecars[file].bookloresync_placed = nil
    equal(pcall(front_end.open, front_end, book), false, "opens")
end)

test("what is left to be searched for stays in its place, and is looked at when the book opens again", function(folder)
    local world, front_end, file, book = closed(folder, {})
    local items = {}
    for index = 1, 3 do
        local datetime = "2026-11-24 18:30:0" .. index
        items[index] = highlight({ datetime = datetime, pos0 = place(12, index), text = "Nowhere" })
    end
    answer(world, 1, file, items)
    front_end:open(book)
    equal(#front_end.window.annotation.annotations, 1, "marks")
    front_end:close()
    equal(#world.sidecars[file].bookloresync_placed.unchecked, 1, "kept")
    front_end:open(book)
    equal(#front_end.window.annotation.annotations, 0, "marks")
    no_errors(world)
end)

test("more than five hundred marks wait until the closed book has been opened", function(folder)
    local world, front_end, file, book = closed(folder, {})
    local changes = {}
    for number = 1, 6 do
        local items = {}
        for index = 1, 100 do
            local page = (number - 1) * 100 + index
            items[index] = highlight({
                datetime = ("2026-11-24 1%d:%02d:%02d"):format(number, index / 60, index % 60), fraction = page / 600,
                pos0 = place(page), pos1 = place(page, 12), text = WORDS[page]:sub(1, 12),
            })
        end
        changes[number] = { id = "12-marks-" .. number, kind = "annotations", file = file, items = items }
    end
    Check.answer(world, 1, { changes = changes })
    world:pass(5)
    equal(world.spawned[2].job.arguments["12-marks-5"]:find("later"), nil, "fifth")
    equal(world.spawned[2].job.arguments["12-marks-6"]:find("done"), nil, "sixth")
    front_end:open(book)
    local marks = front_end.window.annotation.annotations
    equal(#marks, 500, "marks")
    for page, one in ipairs(marks) do equal(one.pageno, page, "page") end
end)

test("what somebody else changed from outside is still KOReader's to order", function(folder)
    local world, front_end, file, book = closed(folder, { mark(40), mark(5) }, function(book)
        book.sidecar.annotations_externally_modified = nil
    end)
    world.sidecars[file].annotations_externally_modified = true
    answer(world, 1, file, { highlight() })
    front_end:open(book)
    local marks = front_end.window.annotation.annotations
    equal(marks[1].pageno .. " " .. marks[2].pageno .. " " .. marks[3].pageno, "5 12 40", "order")
end)

test("edits and removals of a closed book are saved, and nothing else of it", function(folder)
    local world, _, file = closed(folder, { mark(12), dog_ear(13), mark(14, { datetime = "2026-11-22 10:00:00" }) })
    answer(world, 1, file, {
        edit("highlight", { datetime = "2026-11-20 21:04:09", note = "Mine" }, { note = "Ours", drawer = "invert" }),
        remove("bookmark", { datetime = "2026-11-21 08:00:00", page = place(13) }),
    })
    equal(reported(world, 2), "done done", "report")
    local marks = saved(world, file)
    equal(#marks, 2, "marks")
    equal(marks[1].note .. marks[1].drawer .. marks[1].color, "Oursinvertyellow", "first")
    matches(marks[1].datetime_updated, STAMP, "datetime_updated")
    equal(marks[2].note, "Mine", "second")
end)

test("a book without marks gets its first", function(folder)
    local world, front_end, file, book = closed(folder, nil)
    answer(world, 1, file, { highlight() })
    equal(reported(world, 2), "done", "report")
    front_end:open(book)
    equal(FakeAnnotations.shown(front_end, 12), "Call me Ishmael.", "shown")
end)

test("a book that may have marks of an old form is left to KOReader until it opens", function(folder)
    local world, _, file = closed(folder, nil)
    world.sidecars[file].annotations = nil
    answer(world, 1, file, { highlight() })
    equal(reported(world, 2), "later", "report")
    equal(saved(world, file), nil, "marks")
end)

test("a fixed page that a closed book has not is no place", function(folder)
    local world, _, file = closed(folder, {}, fixed)
    local there = { ["do"] = "add", kind = "bookmark", to = { datetime = "2026-11-24 18:31:00", page = 600 } }
    local beyond = { ["do"] = "add", kind = "bookmark", to = { datetime = "2026-11-24 18:31:00", page = 601 } }
    local point = { page = 601, x = 1, y = 1 }
    answer(world, 1, file, { there, beyond, boxed({ page = 601, pos0 = point, pos1 = point }) })
    equal(reported(world, 2), "done unplaced unplaced", "report")
    equal(world.sidecars[file].bookloresync_placed, nil, "what is to be checked")
end)

test("a closed book whose pages nobody counted waits", function(folder)
    local world, _, file = closed(folder, {}, fixed)
    world.sidecars[file].doc_pages = nil
    answer(world, 1, file, { boxed() })
    equal(reported(world, 2), "later", "report")
    equal(#saved(world, file), 0, "marks")
end)

test("a closed book that was last shown by the other engine waits", function(folder)
    local world, _, file = closed(folder, {}, fixed)
    answer(world, 1, file, { highlight() })
    equal(reported(world, 2), "later", "report")
    equal(#saved(world, file), 0, "marks")
end)

test("a record in which the marks are broken is left alone", function(folder)
    for _, broken in ipairs({ 7, "x", { 7 }, { mark(5), false } }) do
        local world, _, file = closed(folder, {})
        world.sidecars[file].annotations = broken
        answer(world, 1, file, { highlight() })
        equal(reported(world, 2), "later", "report")
        equal(type(saved(world, file)), type(broken), "marks")
    end
end)

test("marks of a book that is not there are gone, all in one word", function(folder)
    local world, _, file = closed(folder, {})
    os.remove(file)
    answer(world, 1, file, { highlight(), bookmark(3) })
    equal(reported(world, 2), "gone", "report")
end)

-- ------------------------------------------------------------------------------------------------ what is broken

local BROKEN = {
    ["no text"] = highlight({ text = "none" }), ["an empty text"] = highlight({ text = "" }),
    ["a blank text"] = highlight({ text = " \n" }), ["a text that is none"] = highlight({ text = 7 }),
    ["no date"] = highlight({ datetime = "none" }), ["half a date"] = highlight({ datetime = "2026-11-24" }),
    ["an impossible date"] = highlight({ datetime = "2026-13-24 18:30:02" }),
    ["a date that is none"] = highlight({ datetime = { 1 } }),
    ["no place"] = highlight({ pos0 = "none", page = place(12) }), ["half a place"] = highlight({ pos1 = null }),
    ["an empty place"] = highlight({ pos0 = "" }), ["a place that is no way"] = highlight({ pos0 = "body/p[1]" }),
    ["a place with a line end"] = highlight({ pos0 = place(12) .. "\n" }),
    ["a place without end"] = highlight({ pos0 = "/" .. ("a"):rep(3000) }),
    ["places of two kinds"] = highlight({ pos1 = { page = 1, x = 1, y = 1 } }),
    ["points without numbers"] = highlight({ pos0 = { page = 1 }, pos1 = { page = 1, x = "a", y = 1 } }),
    ["no drawer"] = highlight({ drawer = "none" }), ["an unknown drawer"] = highlight({ drawer = "squiggly" }),
    ["a drawer that is none"] = highlight({ drawer = true }), ["an unknown colour"] = highlight({ color = "#ff0000" }),
    ["a colour that is none"] = highlight({ color = {} }), ["a note that is none"] = highlight({ note = 5 }),
    ["a chapter that is none"] = highlight({ chapter = false }),
    ["an unknown kind"] = both(highlight(), { kind = "scribble" }), ["no kind"] = both(highlight(), { kind = "none" }),
    ["nothing to add"] = { ["do"] = "add", kind = "highlight" }, ["a word"] = "add", ["nothing"] = null,
    ["an unknown deed"] = both(highlight(), { ["do"] = "paint" }),
    ["a bookmark without a page"] = bookmark(12, { page = "none" }),
    ["a page of a half"] = bookmark(12, { page = 1.5 }),
    ["no page"] = bookmark(12, { page = 0 }), ["a page that is none"] = bookmark(12, { page = {} }),
    ["an edit of nothing"] = edit("highlight", { datetime = "2026-11-20 21:04:09" }, {}),
    ["an edit to nothing"] = edit("highlight", { datetime = "2026-11-20 21:04:09" }),
    ["an edit of nobody"] = { ["do"] = "edit", kind = "highlight", to = { note = "x" } },
    ["an edit to no drawer"] = edit("highlight", { datetime = "2026-11-20 21:04:09" }, { drawer = null }),
    ["an edit to no colour"] = edit("highlight", { datetime = "2026-11-20 21:04:09" }, { color = 7 }),
    ["a removal of nobody"] = { ["do"] = "remove", kind = "highlight" },
}

for what, item in pairs(BROKEN) do
    test(("%s is nothing for KOReader, be the book open or closed"):format(what), function(folder)
        for _, begin in ipairs({ opened, closed }) do
            local world, front_end, file = begin(folder, { mark(5) })
            answer(world, 1, file, { item, highlight() })
            equal(reported(world, 2), "unfit done", "report")
            equal(#saved(world, file), 2, "marks")
            no_errors(world)
            if front_end.book then front_end:close() end
        end
    end)
end

for what, items in pairs({ ["no list"] = 7, ["an empty list"] = {}, ["too long a list"] = (function()
    local items = {}
    for index = 1, 101 do items[index] = highlight() end
    return items
end)() }) do
    test(("%s of marks is passed over"):format(what), function(folder)
        local world, _, file = opened(folder, {})
        answer(world, 1, file, items)
        equal(Check.starts(world), 1, "starts")
        no_errors(world)
    end)
end

test("a KOReader whose functions fail loses no mark and says nothing of it", function(folder)
    local world, front_end, file, marks = opened(folder, { mark(5) })
    front_end.window.annotation.addItem = function() error("not so") end
    answer(world, 1, file, { highlight() })
    equal(reported(world, 2), "later", "report")
    equal(#marks, 1, "marks")
end)

test("what was remembered of a closed book may be broken", function(folder)
    for _, kept in ipairs({ 7, {}, { unchecked = 7, refused = 8 }, { unchecked = { 7, {} } }, { ours = true } }) do
        local world, front_end, file, book = closed(folder, { mark(5) })
        world.sidecars[file].bookloresync_placed = kept
        front_end:open(book)
        equal(#front_end.window.annotation.annotations, 1, "marks")
        front_end:close()
        equal(world.sidecars[file].bookloresync_placed, nil, "kept")
        no_errors(world)
    end
end)

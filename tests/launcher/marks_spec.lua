--- What the journal says of highlights, notes and bookmarks: only what changed, all of it, before the line that ends.

local Check = require("check")

local test, equal, matches = Check.test, Check.equal, Check.matches

local function place(page, offset)
    return ("/body/DocFragment[4]/body/p[%d]/text().%d"):format(page, offset or 0)
end

local function highlight(page, change)
    local mark = {
        datetime = "2026-11-20 21:04:09", drawer = "lighten", color = "yellow", text = "Call me Ishmael.",
        chapter = "Loomings", pageno = page, page = place(page), pos0 = place(page), pos1 = place(page, 16),
    }
    for name, value in pairs(change or {}) do mark[name] = value end
    return mark
end

local function bookmark(page)
    return { datetime = "2026-11-21 08:00:00", page = place(page), pageno = page, text = "in Loomings" }
end

--- A book that is open and has these marks.
local function opened(folder, marks, change)
    local world, front_end = Check.koreader(folder, change)
    local book = Check.book(folder)
    book.sidecar.annotations, book.sidecar.cre_dom_version = marks, 20240114
    front_end:open(book)
    return world, front_end, front_end.window.annotation.annotations
end

--- The lines `marks` of the world's only journal with that suffix.
local function told(world, suffix)
    local found = {}
    for _, line in ipairs((Check.journal(world, suffix or "jsonl"))) do
        if line.ev == "marks" then found[#found + 1] = line end
    end
    return found
end

local function no_errors(world)
    equal(#world.errors, 0, "errors: " .. table.concat(world.errors, "; "))
end

test("a book whose marks have not changed says nothing of them", function(folder)
    local world, front_end = opened(folder, { highlight(12), bookmark(13) })
    front_end:suspend(false)
    front_end:resume()
    front_end:close()
    equal(#told(world), 0, "lines")
    no_errors(world)
end)

test("a new highlight is written before the book closes, with KOReader's own fields", function(folder)
    local world, front_end = opened(folder, {})
    front_end.window.annotation:addItem(highlight(13, { note = "The famous one", pageref = "9" }))
    front_end:close()
    equal(Check.events(world, "jsonl"), "open marks close snapshot", "events")
    local line = told(world)[1]
    equal(line.count, 1, "count")
    equal(line.dom, 20240114, "dom")
    equal(#line.gone, 0, "gone")
    local mark = line.changed[1]
    equal(mark.datetime, "2026-11-20 21:04:09", "datetime")
    equal(mark.drawer, "lighten", "drawer")
    equal(mark.color, "yellow", "color")
    equal(mark.text, "Call me Ishmael.", "text")
    equal(mark.note, "The famous one", "note")
    equal(mark.chapter, "Loomings", "chapter")
    equal(mark.pageno, 13, "pageno")
    equal(mark.pageref, "9", "pageref")
    equal(mark.page, place(13), "page")
    equal(mark.pos0, place(13), "pos0")
    equal(mark.pos1, place(13, 16), "pos1")
    equal(mark.was, nil, "was")
    equal(mark.cut, nil, "cut")
end)

test("a new highlight is written before the device sleeps, and not again afterwards", function(folder)
    local world, front_end = opened(folder, {})
    front_end.window.annotation:addItem(highlight(13))
    front_end:suspend(false)
    front_end:resume()
    front_end:close()
    equal(Check.events(world, "jsonl"), "open marks suspend resume close snapshot", "events")
end)

test("what is written before the device sleeps is on the medium", function(folder)
    local world, front_end = opened(folder, {})
    front_end.window.annotation:addItem(highlight(13))
    local before = world.fsyncs
    front_end:suspend(false)
    equal(world.fsyncs, before + 1, "fsyncs")
end)

test("a mark that is made while the device announces its sleep twice is on the medium too", function(folder)
    local world, front_end = opened(folder, {})
    front_end:send("Suspend")
    front_end.window.annotation:addItem(highlight(13))
    local before = world.fsyncs
    front_end:send("Suspend")
    equal(world.fsyncs, before + 1, "fsyncs")
    equal(#told(world, "open"), 1, "lines")
end)

local EDITS = { text = "Call me", color = "red", drawer = "invert", datetime_updated = "2026-11-25 10:00:00" }

for name, value in pairs(EDITS) do
    test(("another %s makes a highlight a changed one"):format(name), function(folder)
        local world, front_end, marks = opened(folder, { highlight(12), highlight(13) })
        marks[2][name] = value
        front_end:close()
        local line = told(world)[1]
        equal(#line.changed, 1, "changed")
        equal(line.changed[1][name], value, name)
        equal(line.changed[1].page, place(13), "page")
        equal(line.changed[1].was, nil, "was")
        equal(line.count, 2, "count")
    end)
end

test("a note of a page bookmark, of which KOReader tells nobody, is written", function(folder)
    local world, front_end, marks = opened(folder, { bookmark(12) })
    marks[1].note = "Read again"
    front_end:close()
    equal(told(world)[1].changed[1].note, "Read again", "note")
    equal(told(world)[1].changed[1].drawer, nil, "drawer")
end)

test("a note that is taken away leaves a mark without one", function(folder)
    local world, front_end, marks = opened(folder, { highlight(12, { note = "x" }) })
    marks[1].note = nil
    front_end:close()
    equal(told(world)[1].changed[1].note, nil, "note")
    equal(told(world)[1].changed[1].datetime, "2026-11-20 21:04:09", "datetime")
end)

test("another page number or chapter, which another layout makes, is no change", function(folder)
    local world, front_end, marks = opened(folder, { highlight(12) })
    marks[1].pageno, marks[1].pageref, marks[1].chapter = 99, "98", "Elsewhere"
    front_end:close()
    equal(#told(world), 0, "lines")
end)

test("a mark that is deleted is gone, as it was last", function(folder)
    local world, front_end, marks = opened(folder, { highlight(12), bookmark(13) })
    table.remove(marks, 2)
    front_end:close()
    local line = told(world)[1]
    equal(line.count, 1, "count")
    equal(#line.changed, 0, "changed")
    equal(line.gone[1].datetime, "2026-11-21 08:00:00", "datetime")
    equal(line.gone[1].page, place(13), "page")
    equal(line.unplaced, nil, "unplaced")
end)

test("the last mark that is deleted is gone as well", function(folder)
    local world, front_end, marks = opened(folder, { highlight(12) })
    table.remove(marks, 1)
    front_end:close()
    equal(told(world)[1].count, 0, "count")
    equal(#told(world)[1].gone, 1, "gone")
end)

test("a mark that is made and deleted between two looks was never there", function(folder)
    local world, front_end, marks = opened(folder, {})
    front_end.window.annotation:addItem(highlight(13))
    table.remove(marks, 1)
    front_end:close()
    equal(#told(world), 0, "lines")
end)

test("a mark that is made, told and deleted is told to be gone", function(folder)
    local world, front_end, marks = opened(folder, {})
    front_end.window.annotation:addItem(highlight(13))
    front_end:suspend(false)
    front_end:resume()
    table.remove(marks, 1)
    front_end:close()
    equal(#told(world)[1].changed, 1, "changed")
    equal(#told(world)[2].gone, 1, "gone")
end)

test("a mark that is gone is told once", function(folder)
    local world, front_end, marks = opened(folder, { highlight(12) })
    table.remove(marks, 1)
    front_end:suspend(false)
    front_end:resume()
    front_end:close()
    equal(#told(world), 1, "lines")
end)

test("a mark at a place of no known form is left out, the others are not", function(folder)
    local world, front_end, marks = opened(folder, {})
    table.insert(marks, highlight(13, { page = true }))
    table.insert(marks, highlight(14))
    front_end.window.annotation.when_ready = function() end
    front_end:close()
    equal(#told(world)[1].changed, 1, "changed")
    equal(told(world)[1].changed[1].page, place(14), "page")
end)

test("a highlight whose end is moved is the same one, and says where it was", function(folder)
    local world, front_end, marks = opened(folder, { highlight(12) })
    marks[1].pos1, marks[1].text = place(12, 7), "Call me"
    front_end:close()
    local line = told(world)[1]
    equal(#line.gone, 0, "gone")
    equal(line.changed[1].pos1, place(12, 7), "pos1")
    equal(line.changed[1].was.pos1, place(12, 16), "pos1 before")
    equal(line.changed[1].was.datetime, "2026-11-20 21:04:09", "datetime before")
end)

test("a highlight that KOReader makes anew with its old date is the same one", function(folder)
    local world, front_end, marks = opened(folder, { highlight(12) })
    table.remove(marks, 1)
    front_end.window.annotation:addItem(highlight(12, { pos1 = place(12, 30) }))
    front_end:close()
    local line = told(world)[1]
    equal(#line.gone, 0, "gone")
    equal(line.changed[1].was.pos1, place(12, 16), "pos1 before")
end)

test("a deleted highlight and a new one of the same moment elsewhere are told apart where their number leaves doubt",
    function(folder)
        local world, front_end, marks = opened(folder, { highlight(12), highlight(13) })
        table.remove(marks, 2)
        table.remove(marks, 1)
        front_end.window.annotation:addItem(highlight(14))
        front_end:close()
        equal(#told(world)[1].gone, 2, "gone")
        equal(told(world)[1].changed[1].was, nil, "was")
    end)

test("a half-made highlight of KOReader's is none yet", function(folder)
    local world, front_end, marks = opened(folder, {})
    front_end.window.annotation:addItem(highlight(13, { is_tmp = true }))
    front_end:suspend(false)
    front_end:resume()
    equal(#told(world, "open"), 0, "lines")
    marks[1].is_tmp = nil
    front_end:close()
    equal(#told(world)[1].changed, 1, "changed")
end)

test("a mark on a fixed page has a page number, points and boxes", function(folder)
    local world, front_end = Check.koreader(folder)
    local book = Check.book(folder)
    book.xpointer = nil
    front_end:open(book)
    front_end.window.annotation:addItem({
        datetime = "2026-11-20 21:04:09", drawer = "lighten", text = "x", page = 13,
        pos0 = { page = 13, x = 10.5, y = 20, zoom = 1, rotation = 0 }, pos1 = { page = 13, x = 30, y = 20.25 },
        pboxes = { { x = 1, y = 2, w = 3, h = 4.5 } }, ext = { [13] = {} },
    })
    front_end:close()
    local line = told(world)[1]
    local mark = line.changed[1]
    equal(line.dom, nil, "dom")
    equal(mark.page, 13, "page")
    equal(mark.pos0.x, 10.5, "x")
    equal(mark.pos0.zoom, 1, "zoom")
    equal(mark.pos1.y, 20.25, "y")
    equal(mark.pboxes[1].h, 4.5, "h")
end)

test("a point that KOReader moves inside its table is seen", function(folder)
    local world, front_end = Check.koreader(folder)
    local book = Check.book(folder)
    book.xpointer = nil
    book.sidecar.annotations = { {
        datetime = "2026-11-20 21:04:09", drawer = "lighten", text = "x", page = 13,
        pos0 = { page = 13, x = 10, y = 20 }, pos1 = { page = 13, x = 30, y = 20 },
    } }
    front_end:open(book)
    front_end.window.annotation.annotations[1].pos1.x = 40
    front_end:close()
    local mark = told(world)[1].changed[1]
    equal(mark.pos1.x, 40, "x")
    equal(mark.was.pos1.x, 30, "x before")
end)

test("a long text is cut before a character and says so", function(folder)
    local world, front_end = opened(folder, {})
    front_end.window.annotation:addItem(highlight(13, { text = "a" .. ("ß"):rep(20000) }))
    front_end:close()
    local mark = told(world)[1].changed[1]
    equal(#mark.text, 16 * 1024 - 1, "bytes")
    equal(mark.cut, true, "cut")
end)

test("a text that is six times as long in the journal still makes a line that can be read", function(folder)
    local world, front_end = opened(folder, {})
    front_end.window.annotation:addItem(highlight(13, { text = ("\1"):rep(16000), note = ("\2"):rep(16000) }))
    front_end:close()
    local mark = told(world)[1].changed[1]
    equal(#mark.text, 4 * 1024, "bytes")
    equal(mark.cut, true, "cut")
end)

test("many marks go into several lines, none longer than the worker reads", function(folder)
    local world, front_end = opened(folder, {})
    for index = 1, 300 do
        front_end.window.annotation:addItem(highlight(13, {
            datetime = ("2026-11-20 21:%02d:%02d"):format(math.floor(index / 60), index % 60), text = ("x"):rep(1000),
        }))
    end
    front_end:close()
    local seen, lines = {}, told(world)
    for _, line in ipairs(lines) do
        equal(line.count, 300, "count")
        for _, mark in ipairs(line.changed) do seen[#seen + 1] = mark.datetime end
    end
    equal(#seen, 300, "marks")
    equal(#lines > 5, true, "several")
    local folder_of_it = folder .. "/bookloresync/journal/"
    for line in Check.read(folder_of_it .. Check.names(folder_of_it)[1]):gmatch("[^\n]+") do
        equal(#line < 64 * 1024, true, "short enough")
    end
end)

test("more than a megabyte of one moment goes on at the next", function(folder)
    local world, front_end = opened(folder, {})
    for index = 1, 100 do
        front_end.window.annotation:addItem(highlight(13, {
            datetime = ("2026-11-20 21:%02d:%02d"):format(math.floor(index / 60), index % 60), text = ("x"):rep(16384),
        }))
    end
    local function changed(suffix)
        local number = 0
        for _, line in ipairs(told(world, suffix)) do number = number + #line.changed end
        return number
    end
    front_end:suspend(false)
    equal(changed("open") < 70, true, "fewer at first")
    front_end:resume()
    front_end:close()
    equal(changed("jsonl"), 100, "all at last")
end)

test("a journal that is full of marks goes on in another file with the next page", function(folder)
    local world, front_end, marks = opened(folder, {})
    for index = 1, 64 do
        front_end.window.annotation:addItem(highlight(13, { pos1 = place(13, index), text = ("x"):rep(16384) }))
    end
    for round = 1, 6 do
        for _, mark in ipairs(marks) do mark.text = round .. ("x"):rep(16000) end
        front_end:suspend(false)
        front_end:resume()
    end
    front_end:turn(14)
    local folder_of_it = folder .. "/bookloresync/journal/"
    local names = Check.names(folder_of_it)
    equal(#names, 2, "files")
    equal(#Check.read(folder_of_it .. names[1]) < 4 * 1024 * 1024, true, "short enough")
    no_errors(world)
end)

test("the reading goes on in another file after a long sleep, and tells only what is new since", function(folder)
    local world, front_end = opened(folder, {})
    front_end.window.annotation:addItem(highlight(13))
    front_end:suspend(false)
    world:sleep(3600)
    front_end:resume()
    front_end.window.annotation:addItem(highlight(14))
    front_end:close()
    local texts = {}
    for _, name in ipairs(Check.names(folder .. "/bookloresync/journal")) do
        texts[#texts + 1] = Check.read(folder .. "/bookloresync/journal/" .. name)
    end
    local function is_first(text) return text:find('"ev":"suspend"', 1, true) ~= nil end
    table.sort(texts, function(one, other) return is_first(one) and not is_first(other) end)
    equal(#texts, 2, "files")
    matches(texts[1], '"ev":"marks".-p%[13%]', "first file")
    matches(texts[2], '"ev":"marks".-p%[14%]', "second file")
    equal(texts[2]:find("p[13]/text().16", 1, true), nil, "told twice")
end)

test("what a full disk does not take is told at the next occasion", function(folder)
    local world, front_end = opened(folder, {})
    front_end.window.annotation:addItem(highlight(13))
    world.disk_full = true
    front_end:suspend(false)
    front_end:resume()
    world.disk_full = false
    front_end:close()
    local found = 0
    for _, name in ipairs(Check.names(folder .. "/bookloresync/journal")) do
        local _, times = Check.read(folder .. "/bookloresync/journal/" .. name):gsub('"ev":"marks"', "")
        found = found + times
    end
    equal(found, 1, "lines")
    no_errors(world)
end)

test("a book that is not recorded tells nothing of its marks", function(folder)
    local world, front_end = Check.koreader(folder)
    local book = Check.book(folder)
    Check.write(folder .. "/bookloresync/untracked.txt", book.file .. "\n")
    front_end:open(book)
    front_end.window.annotation:addItem(highlight(13))
    front_end:suspend(false)
    front_end:close()
    equal(#Check.names(folder .. "/bookloresync/journal"), 0, "journals")
    no_errors(world)
end)

for what, marks in pairs({
    ["no list"] = 7, ["marks that are none"] = { 7, "x", false }, ["a mark without anything"] = { {} },
    ["a mark of odd types"] = { { datetime = {}, drawer = 1, page = true, pos0 = 3, pos1 = {}, text = 5, pboxes = 6 } },
    ["odd boxes"] = { { page = 3, pos0 = { page = "x" }, pboxes = { 1, {} } } },
}) do
    test(("%s in KOReader's memory disturbs nothing"):format(what), function(folder)
        local world, front_end = opened(folder, {})
        front_end.window.annotation.annotations = marks
        front_end.window.annotation.when_ready = function() end
        front_end:suspend(false)
        front_end:resume()
        front_end:close()
        equal(Check.events(world, "jsonl"):gsub("marks ", ""), "open suspend resume close snapshot", "events")
        no_errors(world)
    end)
end

test("a KOReader that keeps its marks otherwise disturbs nothing", function(folder)
    local world, front_end = opened(folder, {})
    front_end.window.annotation = { read = function() end }
    front_end:suspend(false)
    front_end:resume()
    equal(Check.events(world, "open"), "open suspend resume", "events")
    no_errors(world)
end)

--- Changes of a result: made to the right book, only where it still is what it was thought to be, and reported.

local Check = require("check")
local cjson = require("cjson")

local test, equal = Check.test, Check.equal

local null = cjson.null

local function stars(file, from, to, change)
    local fields = { id = "12-rating", kind = "rating", file = file, from = from, to = to }
    for name, value in pairs(change or {}) do fields[name] = value end
    return fields
end

local function status(file, from, to)
    return { id = "12-status", kind = "status", file = file, from = from, to = to }
end

local function place(file, fraction)
    return { kind = "position", file = file, fraction = fraction }
end

--- The n-th run ends with these changes.
local function answer(world, n, ...)
    Check.answer(world, n, { changes = { ... } })
    world:pass(2)
end

--- What the n-th run reports, which has to be a report: "id=outcome id=outcome".
local function reported(world, n)
    local job = world.spawned[n].job
    equal(job.verb, "applied", "verb")
    local parts = {}
    for id, outcome in pairs(job.arguments) do parts[#parts + 1] = id .. "=" .. outcome end
    table.sort(parts)
    return table.concat(parts, " ")
end

--- A book that is open; `change` may make another book of it first. Its run has started.
local function opened(folder, change)
    local world, front_end = Check.koreader(folder)
    local book = Check.book(folder)
    if change then change(book, world) end
    front_end:open(book)
    world:pass(3.5)
    return world, front_end, book.file
end

--- A book that was closed with these stars and this status. Its run has started.
local function closed(folder, summary)
    local world, front_end = Check.koreader(folder)
    local book = Check.book(folder)
    front_end:open(book)
    front_end:close()
    if summary then world.sidecars[book.file].summary = summary end
    return world, front_end, book.file
end

local function saved(world, file)
    return world.sidecars[file].summary
end

local function no_errors(world)
    equal(#world.errors, 0, "errors: " .. table.concat(world.errors, "; "))
end

-- ------------------------------------------------------------------------------------------------ a closed book

test("stars of a closed book are changed in its sidecar, and nothing else of it", function(folder)
    local world, _, file = closed(folder)
    answer(world, 1, stars(file, 4, 2))
    equal(saved(world, file).rating, 2, "stars")
    equal(saved(world, file).status, "reading", "status")
    equal(saved(world, file).modified, os.date("%Y-%m-%d"), "day of the change")
    equal(world.sidecars[file].partial_md5_checksum, "5d0c", "fingerprint")
    equal(reported(world, 2), "12-rating=done", "report")
    equal(world.spawned[2].job.reason, "close", "reason, that of the run that brought it")
    no_errors(world)
end)

test("stars that are taken away leave none", function(folder)
    local world, _, file = closed(folder)
    answer(world, 1, stars(file, 4, null))
    equal(saved(world, file).rating, nil, "stars")
    equal(reported(world, 2), "12-rating=done", "report")
end)

test("stars that KOReader took away by writing 0 are none", function(folder)
    local world, _, file = closed(folder, { rating = 0, status = "reading" })
    answer(world, 1, stars(file, null, 5))
    equal(saved(world, file).rating, 5, "stars")
end)

test("stars and status of one book are saved in one go", function(folder)
    local world, _, file = closed(folder)
    local flushes = world.sidecar_flushes
    answer(world, 1, stars(file, 4, 5), status(file, "reading", "complete"))
    equal(world.sidecar_flushes - flushes, 1, "times saved")
    equal(saved(world, file).rating, 5, "stars")
    equal(saved(world, file).status, "complete", "status")
    equal(reported(world, 2), "12-rating=done 12-status=done", "report")
    equal(Check.starts(world), 2, "starts")
end)

test("what the book has already is done, and nothing is written", function(folder)
    local world, _, file = closed(folder)
    local flushes = world.sidecar_flushes
    answer(world, 1, stars(file, 2, 4))
    equal(world.sidecar_flushes, flushes, "times saved")
    equal(reported(world, 2), "12-rating=done", "report")
end)

test("what the reader has changed meanwhile is left as it is", function(folder)
    local world, _, file = closed(folder)
    local flushes = world.sidecar_flushes
    answer(world, 1, stars(file, 3, 5), status(file, "abandoned", "complete"))
    equal(saved(world, file).rating, 4, "stars")
    equal(saved(world, file).status, "reading", "status")
    equal(world.sidecar_flushes, flushes, "times saved")
    equal(reported(world, 2), "12-rating=other 12-status=other", "report")
end)

test("a book that KOReader has no record of gets none", function(folder)
    local world = closed(folder)
    local other = folder .. "/Typee.epub"
    Check.write(other, "x")
    answer(world, 1, stars(other, null, 5))
    equal(world.sidecars[other], nil, "sidecar")
    equal(reported(world, 2), "12-rating=gone", "report")
end)

test("a record that cannot be read counts as none and is left alone", function(folder)
    local world, _, file = closed(folder)
    world.sidecars[file] = false
    answer(world, 1, stars(file, null, 5))
    equal(world.sidecars[file], false, "sidecar")
    equal(reported(world, 2), "12-rating=gone", "report")
end)

test("a record that is no record of KOReader's is left alone", function(folder)
    local world, _, file = closed(folder)
    world.sidecars[file].summary = "read"
    answer(world, 1, stars(file, null, 5))
    equal(saved(world, file), "read", "summary")
    equal(reported(world, 2), "12-rating=gone", "report")
end)

test("a book whose file is gone is reported as gone, though its sidecar is there", function(folder)
    local world, _, file = closed(folder)
    os.remove(file)
    answer(world, 1, stars(file, 4, 5))
    equal(saved(world, file).rating, 4, "stars")
    equal(reported(world, 2), "12-rating=gone", "report")
end)

test("a change that does not get onto the disk is not reported, so that it comes again", function(folder)
    local world, _, file = closed(folder)
    world.sidecars_read_only = true
    answer(world, 1, stars(file, 4, 5))
    world:pass(60)
    equal(Check.starts(world), 1, "starts")
    no_errors(world)
end)

test("what KOReader's lists remember of a closed book is forgotten, and the browser shows it anew", function(folder)
    local world, _, file = closed(folder)
    world.book_list[file] = { status = "reading", rating = 4 }
    answer(world, 1, stars(file, 4, 5))
    equal(world.book_list[file], nil, "memory")
    equal(world.browser_redraws, 1, "redraws")
end)

test("a browser that fails to redraw keeps no change from being reported", function(folder)
    local world, front_end, file = closed(folder)
    front_end.window.file_chooser.refreshPath = function() error("no path") end
    answer(world, 1, stars(file, 4, 5))
    equal(reported(world, 2), "12-rating=done", "report")
    equal(#world.errors, 1, "logged errors")
end)

test("a closed book is changed while another one is read, and the browser that is not there is left alone",
    function(folder)
    local world, front_end, file = closed(folder)
    local other = Check.book(folder)
    other.file, other.sidecar = folder .. "/Typee.epub", { summary = { rating = 1 } }
    Check.write(other.file, "x")
    front_end:open(other)
    answer(world, 1, stars(file, 4, 5))
    equal(saved(world, file).rating, 5, "stars of the closed one")
    equal(front_end.window.doc_settings.data.summary.rating, 1, "stars of the open one")
    equal(world.browser_redraws, 0, "redraws")
    no_errors(world)
end)

-- ------------------------------------------------------------------------------------------------ the open book

test("stars and status of the open book are changed in KOReader's memory and saved", function(folder)
    local world, front_end, file = opened(folder)
    local summary = front_end.window.doc_settings:readSetting("summary")
    answer(world, 1, stars(file, 4, 5), status(file, "reading", "complete"))
    equal(summary.rating, 5, "stars in memory")
    equal(summary.status, "complete", "status in memory")
    equal(saved(world, file).rating, 5, "stars on disk")
    equal(world.book_list[file].rating, 5, "stars in lists")
    equal(world.book_list[file].status, "complete", "status in lists")
    front_end:close()
    equal(saved(world, file).rating, 5, "stars after the book is closed")
    equal(reported(world, 2), "12-rating=done 12-status=done", "report")
    no_errors(world)
end)

test("the open book is found under another name of the same file, and its sidecar is not opened behind it",
    function(folder)
    local world, front_end, file = opened(folder)
    answer(world, 1, stars(folder .. "/./Moby Dick.epub", 4, 5))
    equal(front_end.window.doc_settings.data.summary.rating, 5, "stars in memory")
    front_end:close()
    equal(saved(world, file).rating, 5, "stars after the book is closed")
end)

test("the sidecar of a book that is just being opened is left alone", function(folder)
    local world, front_end, file = closed(folder)
    local process = package.loaded["booklore_process"].current
    process.view = { ui = { document = { file = file } } }
    answer(world, 1, stars(file, 4, 5))
    equal(saved(world, file).rating, 4, "stars")
    equal(Check.starts(world), 1, "starts")
    process.view = front_end.plugin
    front_end:send("BookloreSync")
    answer(world, 2, stars(file, 4, 5))
    equal(saved(world, file).rating, 5, "stars when it comes again")
    no_errors(world)
end)

-- ------------------------------------------------------------------------------------------------ reading by itself

test("a status that KOReader gave when it opened the book does not stand against a change", function(folder)
    local world, front_end, file = opened(folder, function(book) book.sidecar.summary = nil end)
    equal(front_end.window.doc_settings.data.summary.status, "reading", "status that KOReader gave")
    answer(world, 1, status(file, null, "complete"))
    equal(front_end.window.doc_settings.data.summary.status, "complete", "status")
    equal(reported(world, 2), "12-status=done", "report")
end)

test("a book that was reading and has no status by now may be changed too", function(folder)
    local world, _, file = closed(folder, { rating = 4 })
    answer(world, 1, status(file, "reading", "abandoned"))
    equal(saved(world, file).status, "abandoned", "status")
end)

test("reading in place of none is written, and none in place of reading", function(folder)
    local world, _, file = closed(folder, { rating = 4 })
    answer(world, 1, status(file, null, "reading"))
    equal(saved(world, file).status, "reading", "status")
    Check.answer(world, 2, { changes = { status(file, "reading", null) } })
    world:pass(2)
    equal(saved(world, file).status, nil, "status")
end)

test("a finished book is not taken for one that was never read", function(folder)
    local world, _, file = closed(folder, { status = "complete" })
    answer(world, 1, status(file, null, "abandoned"))
    equal(saved(world, file).status, "complete", "status")
    equal(reported(world, 2), "12-status=other", "report")
end)

-- ------------------------------------------------------------------------------------------------ the report

test("changes of many books are reported in one run, and saved one book in a tick", function(folder)
    local world = closed(folder)
    local list = {}
    for index = 1, 20 do
        local file = ("%s/Book %d.epub"):format(folder, index)
        Check.write(file, "x")
        world.sidecars[file] = { partial_md5_checksum = "a", summary = { rating = 1 } }
        list[index] = stars(file, 1, 2, { id = "change-" .. index })
    end
    local flushes = world.sidecar_flushes
    Check.answer(world, 1, { changes = list })
    world:pass(0.3)
    assert(world.sidecar_flushes - flushes < 3, "more than one book in a tick")
    world:pass(10)
    equal(world.sidecar_flushes - flushes, 20, "times saved")
    equal(Check.starts(world), 2, "starts")
    local count = 0
    for _, outcome in pairs(world.spawned[2].job.arguments) do count = count + (outcome == "done" and 1 or 0) end
    equal(count, 20, "reported")
end)

test("a change without an id is made and not reported", function(folder)
    local world, _, file = closed(folder)
    answer(world, 1, stars(file, 4, 5, { id = null }))
    equal(saved(world, file).rating, 5, "stars")
    world:pass(60)
    equal(Check.starts(world), 1, "starts")
end)

test("a worker that answers its report with the same changes is not sent round in a circle", function(folder)
    local world, _, file = closed(folder)
    answer(world, 1, stars(file, 3, 5))
    answer(world, 2, stars(file, 3, 5))
    world:pass(60)
    equal(Check.starts(world), 2, "starts")
end)

test("a worker that answers its report with more changes is told of them", function(folder)
    local world, _, file = closed(folder)
    answer(world, 1, stars(file, 4, 5))
    answer(world, 2, status(file, "reading", "complete"))
    equal(reported(world, 3), "12-status=done", "report")
end)

test("changes of a run at exit are made at the next start", function(folder)
    local world, front_end = Check.koreader(folder)
    front_end:open(Check.book(folder))
    front_end:exit()
    Check.answer(world, 1, { changes = { stars(folder .. "/Moby Dick.epub", 4, 5) } })
    Check.start_again(world)
    world:pass(2)
    equal(saved(world, folder .. "/Moby Dick.epub").rating, 5, "stars")
    equal(reported(world, 2), "12-rating=done", "report")
    no_errors(world)
end)

test("a report waits for what was tapped for meanwhile, and both are done", function(folder)
    local world, front_end, file = closed(folder)
    front_end:send("BookloreSync")
    answer(world, 1, stars(file, 4, 5))
    Check.answer(world, 2)
    world:pass(2)
    local verbs = { world.spawned[2].job.verb, world.spawned[3].job.verb }
    table.sort(verbs)
    equal(table.concat(verbs, " "), "applied sync", "runs")
end)

-- ------------------------------------------------------------------------------------------------ where the book is

test("a position takes the open book there, and the way back is remembered", function(folder)
    local world, front_end, file = opened(folder)
    answer(world, 1, place(file, 0.43))
    equal(front_end.book.page, 258, "page")
    equal(table.concat(front_end.window.link.location_stack, " "), "12", "way back")
    equal(Check.starts(world), 1, "starts")
    no_errors(world)
end)

test("a position that nobody was asked about takes nobody back", function(folder)
    local world, front_end, file = opened(folder, function(book) book.page = 300 end)
    local change = place(file, 0.43)
    change.id = "12-progress-0.4300"
    answer(world, 1, change)
    equal(front_end.book.page, 300, "page")
    equal(reported(world, 2), "12-progress-0.4300=other", "report")
end)

test("a position with an id is reported", function(folder)
    local world, _, file = opened(folder)
    local change = place(file, 0.43)
    change.id = "12-position"
    answer(world, 1, change)
    equal(reported(world, 2), "12-position=done", "report")
end)

for fraction, page in pairs({ [0] = 1, [0.0001] = 1, [0.5] = 5, [0.99] = 10, [1] = 10 }) do
    test(("the fraction %g of ten pages is page %d"):format(fraction, page), function(folder)
        local world, front_end, file = opened(folder, function(book) book.pages, book.page = 10, 7 end)
        answer(world, 1, place(file, fraction))
        equal(front_end.book.page, page, "page")
    end)
end

for what, case in pairs({
    ["of fixed pages the page is what counts"] = { paging = true, page = 8, expected = 8 },
    ["a page that there is not is none"] = { paging = true, page = 11, expected = 5 },
    ["half a page is none"] = { paging = true, page = 2.5, expected = 5 },
    ["in text that flows the fraction is what counts"] = { paging = false, page = 8, expected = 5 },
}) do
    test(what, function(folder)
        local world, front_end, file = opened(folder, function(book)
            book.pages, book.page = 10, 7
            book.xpointer = not case.paging and function(page) return "/body/p[" .. page .. "]" end or nil
        end)
        local change = place(file, 0.5)
        change.page = case.page
        answer(world, 1, change)
        equal(front_end.book.page, case.expected, "page")
    end)
end

for what, case in pairs({
    ["an exact place in the text counts before the fraction"] =
        { xpointer = "/body/p[5]/text().17", page = 5, exact = true },
    ["a place that the text does not have is none"] = { xpointer = "/body/p[50]/text().17", page = 5 },
    ["a place far from its fraction is of another edition"] = { xpointer = "/body/p[9]/text().17", page = 5 },
    ["a place that is no text is none"] = { xpointer = 5, page = 5 },
}) do
    test(what, function(folder)
        local world, front_end, file = opened(folder, function(book)
            book.pages, book.page = 10, 2
            book.xpointer = function(page) return "/body/p[" .. page .. "]/text().0" end
        end)
        local change = place(file, 0.5)
        change.xpointer = case.xpointer
        answer(world, 1, change)
        equal(front_end.book.page, case.page, "page")
        local expected = case.exact and case.xpointer or "/body/p[" .. case.page .. "]/text().0"
        equal(front_end.window.rolling.xpointer, expected, "place")
        equal(#front_end.window.link.location_stack, 1, "way back")
        no_errors(world)
    end)
end

test("pages that the reader hid from the flow of the book are left out of a fraction", function(folder)
    local world, front_end, file = opened(folder, function(book)
        book.pages, book.page, book.hidden = 10, 1, { [2] = true, [3] = true, [10] = true }
    end)
    answer(world, 1, place(file, 0.5)) -- of the seven pages 1, 4, 5, 6, 7, 8, 9
    equal(front_end.book.page, 6, "page")
end)

test("a position where the reader is already moves nothing", function(folder)
    local world, front_end, file = opened(folder)
    answer(world, 1, place(file, 0.02))
    equal(front_end.book.page, 12, "page")
    equal(#front_end.window.link.location_stack, 0, "way back")
end)

test("a position is for the book it names, and for no other", function(folder)
    local world, front_end = opened(folder)
    answer(world, 1, place(folder .. "/Typee.epub", 0.5))
    equal(front_end.book.page, 12, "page")
    no_errors(world)
end)

test("a position of a book that is closed by now is forgotten", function(folder)
    local world, _, file = closed(folder)
    answer(world, 1, place(file, 0.5))
    world:pass(60)
    equal(Check.starts(world), 1, "starts")
    no_errors(world)
end)

test("a device that falls asleep is not moved, and its journal's pause goes on", function(folder)
    local world, front_end, file = opened(folder)
    front_end:suspend(false)
    answer(world, 1, place(file, 0.5))
    equal(front_end.book.page, 12, "page")
    equal(Check.events(world, "open"), "open suspend", "journal")
end)

for _, fraction in ipairs({ -0.1, 1.1, "0.5", null }) do
    test(("a position at %s is none"):format(tostring(fraction)), function(folder)
        local world, front_end, file = opened(folder)
        answer(world, 1, place(file, fraction))
        equal(front_end.book.page, 12, "page")
        no_errors(world)
    end)
end

-- ------------------------------------------------------------------------------------------------ broken ones

local BROKEN = {
    ["of an unknown kind"] = function(file) return stars(file, 4, 5, { kind = "shelf" }) end,
    ["of no kind"] = function(file) return stars(file, 4, 5, { kind = null }) end,
    ["without a value before"] = function(file) return stars(file, nil, 5) end,
    ["without a value after"] = function(file) return stars(file, 4, nil) end,
    ["with six stars"] = function(file) return stars(file, 4, 6) end,
    ["with half a star"] = function(file) return stars(file, 4, 4.5) end,
    ["with stars in words"] = function(file) return stars(file, 4, "five") end,
    ["with a status that KOReader does not know"] = function(file) return status(file, "reading", "paused") end,
    ["without a file"] = function() return stars(null, 4, 5) end,
    ["with half a path"] = function() return stars("Moby Dick.epub", 4, 5) end,
    ["that is a text"] = function() return "rating" end,
    ["that is null"] = function() return null end,
}

for what, broken in pairs(BROKEN) do
    test(("a change %s is passed over, the one after it is made"):format(what), function(folder)
        local world, _, file = closed(folder)
        answer(world, 1, broken(file), status(file, "reading", "complete"))
        equal(saved(world, file).rating, 4, "stars")
        equal(saved(world, file).status, "complete", "status")
        equal(reported(world, 2), "12-status=done", "report")
        no_errors(world)
    end)
end

test("an error of KOReader's while a book is changed stays in the log, and the next book has its turn", function(folder)
    local world, _, file = closed(folder)
    local other = folder .. "/Typee.epub"
    Check.write(other, "x")
    world.sidecars[other] = { partial_md5_checksum = "a", summary = { rating = 1 } }
    local DocSettings = package.loaded.docsettings
    local open = DocSettings.open
    function DocSettings:open(book)
        if book == other then error("no memory") end
        return open(self, book)
    end
    answer(world, 1, stars(other, 1, 2), stars(file, 4, 5))
    equal(saved(world, file).rating, 5, "stars")
    equal(#world.errors, 1, "logged errors")
    equal(reported(world, 2), "12-rating=done", "report")
end)

test("a plugin that was switched off reports nothing more", function(folder)
    local world, front_end, file = closed(folder)
    Check.answer(world, 1, { changes = { stars(file, 4, 5) } })
    front_end.plugin:stopPlugin()
    world:pass(60)
    equal(Check.starts(world), 1, "starts")
    equal(saved(world, file).rating, 4, "stars")
end)

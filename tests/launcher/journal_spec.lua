--- What the launcher writes down, for every way in which a reading can begin, pause and end.

local Check = require("check")

local test, equal, matches = Check.test, Check.equal, Check.matches

local function reading(folder, change)
    local world, front_end = Check.koreader(folder, change)
    front_end:open(Check.book(folder))
    return world, front_end
end

test("opening a book writes who, what and where before anything else happens", function(folder)
    local world = reading(folder)
    local lines, name = Check.journal(world, "open")
    local open = lines[1]
    equal(#lines, 1, "lines")
    equal(name, open.id .. ".open", "file name")
    equal(open.fraction, 0.02, "fraction")
    equal(open.label, nil, "label")
    matches(open.id, "^1795385639%-[0-9a-f]+$", "id")
    equal(open.v, 1, "v")
    equal(open.n, 0, "n")
    equal(open.ev, "open", "ev")
    equal(open.t, 1795385639, "t")
    equal(open.m, 52000, "m")
    equal(open.utc_offset_s, 3600, "utc_offset_s")
    equal(open.page, 12, "page")
    equal(open.pages, 600, "pages")
    equal(open.book.file, folder .. "/Moby Dick.epub", "file")
    equal(open.book.size_bytes, 1234, "size_bytes")
    equal(open.book.format, "epub", "format")
    equal(open.book.fingerprint, "5d0c", "fingerprint")
    equal(open.book.title, "Moby Dick", "title")
    equal(open.book.language, "en", "language")
end)

test("several authors and identifiers become lists", function(folder)
    local book = Check.journal((reading(folder)), "open")[1].book
    equal(table.concat(book.authors, "|"), "Herman Melville|Rockwell Kent", "authors")
    equal(table.concat(book.identifiers, "|"), "ISBN:9780142437247|uuid:42", "identifiers")
end)

test("the identifiers are written although KOReader's own view of an open book lacks them", function(folder)
    local world, front_end = reading(folder)
    equal(front_end.window.doc_props.identifiers, nil, "KOReader's view")
    equal(Check.journal(world, "open")[1].book.identifiers[1], "ISBN:9780142437247", "identifier")
end)

test("the format of a file without a suffix is absent, even in a folder with a dot", function(folder)
    local world, front_end = Check.koreader(folder)
    local book = Check.book(folder)
    book.file = folder .. "/.library/Moby Dick"
    front_end:open(book)
    local written = Check.journal(world, "open")[1].book
    equal(written.file, book.file, "file")
    equal(written.format, nil, "format")
end)

test("a page turn that KOReader announces twice is one line", function(folder)
    local world, front_end = reading(folder)
    world:pass(59)
    front_end:turn(13)
    local lines = Check.journal(world, "open")
    equal(#lines, 2, "lines")
    equal(lines[2].ev, "page", "ev")
    equal(lines[2].page, 13, "page")
    equal(lines[2].t, 1795385698, "t")
    equal(lines[2].m, 111000, "m")
end)

test("every page turn is on disk when the handler returns, without an fsync", function(folder)
    local world, front_end = reading(folder)
    local before = world.fsyncs
    for page = 13, 22 do
        front_end:turn(page)
        equal(#Check.journal(world, "open"), page - 11, "lines after page " .. page)
    end
    equal(world.fsyncs, before, "fsyncs")
end)

test("KOReader's autosave brings the page turns to the medium, once", function(folder)
    local world, front_end = reading(folder)
    front_end:turn(13)
    local before = world.fsyncs
    front_end:send("FlushSettings")
    front_end:send("FlushSettings")
    equal(world.fsyncs, before + 1, "fsyncs")
end)

test("a change of the page count without a turn is written down", function(folder)
    local world, front_end = reading(folder)
    front_end.book.pages = 640
    front_end:turn(12)
    equal(Check.journal(world, "open")[2].pages, 640, "pages")
end)

test("the line numbers count up from zero", function(folder)
    local world, front_end = reading(folder)
    front_end:turn(13)
    front_end:close()
    for index, line in ipairs((Check.journal(world, "jsonl"))) do equal(line.n, index - 1, "n") end
end)

local ENDINGS = {
    { "closing a book", "close", function(front_end) front_end:close() end },
    { "exiting KOReader", "exit", function(front_end) front_end:exit() end },
    { "restarting KOReader", "restart", function(front_end) front_end:restart() end },
    { "powering off", "power", function(front_end) front_end:power_off() end },
    { "rebooting", "power", function(front_end) front_end:reboot() end },
    { "sharing the storage over USB", "usb", function(front_end) front_end:usb_storage() end },
}

for _, ending in ipairs(ENDINGS) do
    test(("%s ends the reading with the reason %s"):format(ending[1], ending[2]), function(folder)
        local world, front_end = reading(folder)
        front_end:turn(13)
        ending[3](front_end)
        local lines = Check.journal(world, "jsonl")
        equal(Check.events(world, "jsonl"), "open page close snapshot", "events")
        equal(lines[3].reason, ending[2], "reason")
        equal(lines[3].page, 13, "page")
        equal(lines[3].pages, 600, "pages")
    end)
end

test("reloading a book ends one reading with the reason reload and begins another", function(folder)
    local world, front_end = reading(folder)
    front_end:reload()
    equal(Check.journal(world, "jsonl")[2].reason, "reload", "reason")
    equal(Check.events(world, "open"), "open", "events of the new reading")
    front_end:turn(13)
    equal(Check.events(world, "open"), "open page", "events of the new reading")
end)

test("switching to another book ends one reading and begins another", function(folder)
    local world, front_end = reading(folder)
    local other = Check.book(folder)
    other.props.title = "Typee"
    front_end:switch(other)
    equal(Check.journal(world, "jsonl")[2].reason, "close", "reason")
    equal(Check.journal(world, "open")[1].book.title, "Typee", "title")
end)

test("the snapshot says what KOReader saved at the close, not what was saved before", function(folder)
    local world, front_end = reading(folder)
    front_end:turn(300)
    front_end:close()
    local snapshot = Check.journal(world, "jsonl")[4]
    equal(snapshot.ev, "snapshot", "ev")
    equal(snapshot.fraction, 0.5, "fraction")
    equal(snapshot.xpointer, "/body/DocFragment[4]/body/p[300]/text().0", "xpointer")
    equal(snapshot.last_page, nil, "last_page")
    equal(snapshot.rating, 4, "rating")
    equal(snapshot.status, "reading", "status")
    equal(snapshot.changed_on, "2026-11-20", "changed_on")
end)

test("the snapshot of a book with fixed pages has a page instead of an xpointer", function(folder)
    local world, front_end = Check.koreader(folder)
    local book = Check.book(folder)
    book.xpointer, book.sidecar = nil, {}
    front_end:open(book)
    front_end:turn(13)
    front_end:close()
    local snapshot = Check.journal(world, "jsonl")[4]
    equal(snapshot.last_page, 13, "last_page")
    equal(snapshot.xpointer, nil, "xpointer")
    equal(snapshot.rating, nil, "rating")
end)

test("the last lines are on the medium when the book is closed", function(folder)
    local world, front_end = reading(folder)
    front_end:turn(13)
    local before = world.fsyncs
    front_end:close()
    equal(world.fsyncs, before + 2, "fsyncs: one for close, one for snapshot")
end)

for _, managed in ipairs({ true, false }) do
    test(("sleep and wake are written down on devices where the Wi-Fi is %s by KOReader"):format(
        managed and "managed" or "not managed"), function(folder)
        local world, front_end = reading(folder)
        world:pass(60)
        front_end:suspend(managed)
        world:sleep(600)
        front_end:resume()
        world:pass(30)
        front_end:turn(13)
        local lines = Check.journal(world, "open")
        equal(Check.events(world, "open"), "open suspend resume page", "events")
        equal(lines[3].t - lines[2].t, 600, "wall clock")
        equal(lines[3].m - lines[2].m, 0, "monotonic clock")
    end)
end

for _, no_boottime in ipairs({ false, true }) do
    test(("after a long sleep a reading goes on in another file, the first may be sent%s"):format(
        no_boottime and ", also on a kernel without a clock that runs through sleep" or ""), function(folder)
        local world, front_end = reading(folder, function(world) world.no_boottime = no_boottime end)
        world:pass(60)
        front_end:turn(13)
        world:pass(40)
        front_end:suspend(true)
        world:sleep(3600)
        front_end:resume()
        equal(Check.events(world, "jsonl"), "open page suspend", "what is over")
        local lines = Check.journal(world, "open")
        equal(#lines, 1, "lines of what goes on")
        equal(lines[1].page, 13, "page")
        equal(lines[1].on_screen_ms, 40000, "how long it was on screen before")
        world:pass(30)
        front_end:turn(14)
        front_end:suspend(true)
        world:sleep(3600)
        front_end:resume()
        equal(Check.journal(world, "open")[1].on_screen_ms, nil, "on screen, just turned")
    end)
end

test("a page that stays on screen over many nights adds up", function(folder)
    local world, front_end = reading(folder)
    for night = 1, 3 do
        world:pass(100)
        front_end:suspend(true)
        world:sleep(8 * 3600)
        front_end:resume()
        equal(Check.journal(world, "open")[1].on_screen_ms, night * 100000, "on screen after night " .. night)
    end
end)

test("a book that is opened begins anew, however long the last page of another was on screen", function(folder)
    local world, front_end = reading(folder)
    world:pass(100)
    front_end:suspend(true)
    world:sleep(3600)
    front_end:resume()
    front_end:close()
    front_end:open(Check.book(folder))
    equal(Check.journal(world, "open")[1].on_screen_ms, nil, "on screen")
end)

test("after very many page turns a reading goes on in another file", function(folder)
    local world, front_end = reading(folder)
    for turn = 1, 12005 do front_end:turn(100 + turn % 2) end
    local lines = Check.journal(world, "jsonl")
    equal(#lines, 12000, "lines of the first file")
    equal(Check.events(world, "open"), "open page page page page page", "events of the second")
end)

test("sleep is on the medium before the device sleeps", function(folder)
    local world, front_end = reading(folder)
    local before = world.fsyncs
    front_end:suspend(true)
    equal(world.fsyncs, before + 1, "fsyncs")
end)

test("several sleeps without a wake-up are one pause", function(folder)
    local world, front_end = reading(folder)
    front_end:suspend()
    world:pass(60)
    front_end:suspend()
    front_end:suspend()
    front_end:resume()
    front_end:resume()
    equal(Check.events(world, "open"), "open suspend resume", "events")
end)

test("a page turn after a sleep without a wake-up lets the next sleep count", function(folder)
    local world, front_end = reading(folder)
    front_end:suspend()
    front_end:turn(13)
    front_end:suspend()
    equal(Check.events(world, "open"), "open suspend page suspend", "events")
end)

test("sleep and wake in the file browser write nothing", function(folder)
    local world, front_end = Check.koreader(folder)
    front_end:suspend()
    front_end:resume()
    equal(#Check.names(world.root .. "/bookloresync/journal"), 0, "journals")
end)

test("a reading that KOReader did not survive is finished as it is at the next start", function(folder)
    local world, front_end = reading(folder)
    front_end:turn(13)
    front_end:crash()
    equal(Check.events(world, "open"), "open page", "before the start")
    Check.start_again(world)
    equal(Check.events(world, "jsonl"), "open page", "after the start")
end)

test("a book opened after a crash does not disturb what the crash left", function(folder)
    local world, front_end = reading(folder)
    front_end:crash()
    front_end = Check.start_again(world)
    front_end:open(Check.book(folder))
    equal(Check.events(world, "jsonl"), "open", "the old reading")
    equal(Check.events(world, "open"), "open", "the new one")
end)

test("every event reaches the modules behind the plugin", function(folder)
    local world, front_end = reading(folder)
    front_end:turn(13)
    front_end:suspend(true)
    front_end:resume()
    front_end:connect()
    front_end:send("BookloreSync")
    front_end:close()
    front_end:open(Check.book(folder))
    front_end:power_off()
    local heard = " " .. table.concat(front_end.heard, " ") .. " "
    for name in ("PageUpdate ReaderReady Suspend Resume NetworkConnected BookloreSync CloseDocument FlushSettings " ..
        "SaveSettings CloseWidget PowerOff Close"):gmatch("%S+") do
        matches(heard, " " .. name .. " ", "events behind the plugin")
    end
    equal(#world.errors, 0, "errors: " .. table.concat(world.errors, "; "))
end)

test("a full disk in mid-book is told in one line, once, and reading goes on", function(folder)
    local world, front_end = reading(folder)
    world.disk_full = true
    for page = 13, 20 do front_end:turn(page) end
    front_end:suspend()
    front_end:resume()
    front_end:turn(21)
    equal(#world.shown, 1, "messages")
    matches(world.shown[1].text, "^BookLore Sync cannot record this reading: [^\n]*No space", "message")
    equal(world.shown[1].kind, "Notification", "kind")
    equal(#world.errors, 0, "errors: " .. table.concat(world.errors, "; "))
end)

test("the lines before a full disk stay good, and with space again the reading goes on in a new file", function(folder)
    local world, front_end = reading(folder)
    front_end:turn(13)
    world.disk_full = true
    front_end:turn(14)
    equal(Check.events(world, "jsonl"), "open page", "before")
    world.disk_full = false
    front_end:turn(15)
    front_end:turn(16)
    local lines = Check.journal(world, "open")
    equal(Check.events(world, "open"), "open page", "after")
    equal(lines[1].page, 15, "page at the new beginning")
    equal(lines[2].page, 16, "page")
end)

test("a read-only disk is told once per process, and books still open and close", function(folder)
    local world, front_end = Check.koreader(folder, function(world) world.read_only = true end)
    for _ = 1, 3 do
        front_end:open(Check.book(folder))
        front_end:turn(13)
        front_end:close()
    end
    local complaints = 0
    for _, message in ipairs(world.shown) do
        if message.text:find("Read-only file system", 1, true) then complaints = complaints + 1 end
    end
    equal(complaints, 1, "messages")
    equal(#world.errors, 0, "errors: " .. table.concat(world.errors, "; "))
end)

test("quotes, line breaks, control characters and broken bytes in a title make a valid line", function(folder)
    local world, front_end = Check.koreader(folder)
    local book = Check.book(folder)
    book.props.title = 'A "b" \\ c\nd\1e \255 ä'
    front_end:open(book)
    equal(Check.journal(world, "open")[1].book.title, 'A "b" \\ c\nd\1e \239\191\189 ä', "title")
end)

test("a book without any metadata is named by its file", function(folder)
    local world, front_end = Check.koreader(folder)
    local book = Check.book(folder)
    book.props, book.sidecar = { display_title = "Moby Dick" }, {}
    front_end:open(book)
    local written = Check.journal(world, "open")[1].book
    equal(written.title, "Moby Dick", "title")
    equal(written.authors, nil, "authors")
    equal(written.fingerprint, nil, "fingerprint")
end)

test("a blurb in the author field does not make the line too long", function(folder)
    local world, front_end = Check.koreader(folder)
    local book = Check.book(folder)
    book.props.authors = (("ä"):rep(20000) .. "\n"):rep(40)
    book.props.title = ("ß"):rep(50000)
    front_end:open(book)
    local _, name = Check.journal(world, "open")
    local text = Check.read(world.root .. "/bookloresync/journal/" .. name)
    assert(#text < 65536, "the line has " .. #text .. " bytes")
end)

test("a title that is too long is cut between two characters", function(folder)
    local world, front_end = Check.koreader(folder)
    local book = Check.book(folder)
    book.props.title = "a" .. ("ß"):rep(50000)
    front_end:open(book)
    local title = Check.journal(world, "open")[1].book.title
    assert(#title > 1000 and #title < 4000, "the title has " .. #title .. " bytes")
    equal(title:sub(-2), "ß", "end of the title")
end)

test("empty metadata is absent, not an empty text", function(folder)
    local world, front_end = Check.koreader(folder)
    local book = Check.book(folder)
    book.props = { title = "", display_title = "Moby Dick", authors = "", language = "", identifiers = "" }
    front_end:open(book)
    local written = Check.journal(world, "open")[1].book
    equal(written.title, "Moby Dick", "title")
    equal(written.authors, nil, "authors")
    equal(written.language, nil, "language")
    equal(written.identifiers, nil, "identifiers")
end)

local IMPOSSIBLE = { ["not-a-number"] = 0 / 0, ["more than the whole"] = 1.5, ["less than nothing"] = -0.1 }

for name, fraction in pairs(IMPOSSIBLE) do
    test(("a progress that KOReader computed as %s is absent"):format(name), function(folder)
        local world, front_end = reading(folder)
        front_end.window.view.footer.percent_finished = fraction
        front_end:close()
        local lines = Check.journal(world, "jsonl")
        equal(lines[2].ev, "close", "ev")
        equal(lines[2].fraction, nil, "fraction")
    end)
end

test("a saved progress that is not-a-number is absent from the snapshot", function(folder)
    local world, front_end = reading(folder)
    front_end.window.view.footer.percent_finished = 0 / 0
    front_end:close()
    equal(Check.journal(world, "jsonl")[3].fraction, nil, "fraction")
end)

test("a sidecar with both kinds of place gives the xpointer only", function(folder)
    local world, front_end = reading(folder)
    front_end.window.doc_settings.data.last_page = 7
    front_end.window[1] = { handleEvent = function() return false end } -- KOReader saves no place of its own
    front_end.window.doc_settings.data.last_xpointer = "/body/p[1]"
    front_end:close()
    local snapshot = Check.journal(world, "jsonl")[3]
    equal(snapshot.xpointer, "/body/p[1]", "xpointer")
    equal(snapshot.last_page, nil, "last_page")
end)

test("a page update without a page is no line", function(folder)
    local world, front_end = reading(folder)
    front_end.window:handleEvent({ name = "PageUpdate", arguments = { false } })
    equal(Check.events(world, "open"), "open", "events")
    equal(#world.errors, 0, "errors: " .. table.concat(world.errors, "; "))
end)

test("a book that is announced twice ends its first reading where it was", function(folder)
    local world, front_end = reading(folder)
    front_end:turn(13)
    front_end.window:handleEvent({ name = "ReaderReady", arguments = {} })
    equal(Check.events(world, "jsonl"), "open page", "first reading")
    equal(Check.events(world, "open"), "open", "second reading")
end)

test("a clock that has run for months is written to the millisecond", function(folder)
    local world, front_end = reading(folder)
    world.monotonic_us = 12345678901000
    front_end:turn(13)
    equal(Check.journal(world, "open")[2].m, 12345678901, "m")
end)

test("whole numbers are written as whole numbers and the fields in a fixed order", function(folder)
    local world, front_end = reading(folder)
    front_end:turn(13)
    local _, name = Check.journal(world, "open")
    local text = Check.read(world.root .. "/bookloresync/journal/" .. name)
    matches(text, '\n{"v":1,"n":1,"ev":"page","t":1795385639,"m":52000,"b":152000,"page":13,"pages":600,'
        .. '"fraction":0%.021666666666666667}\n$', "line")
end)

-- ------------------------------------------------------------------------------------------------ clocks

test("the opening names the run of the kernel, and every line has its clock", function(folder)
    local world, front_end = reading(folder)
    world:pass(59)
    front_end:turn(13)
    front_end:close()
    local lines = Check.journal(world, "jsonl")
    equal(lines[1].boot, "7d1e5a52-0d9f-4c3c-9b0e-5f7c1a2b3c4d", "boot")
    local clock = {}
    for _, line in ipairs(lines) do clock[#clock + 1] = line.b end
    equal(table.concat(clock, " "), "152000 211000 211000 211000", "b")
end)

test("the clock of the kernel's run goes on while the device sleeps", function(folder)
    local world, front_end = reading(folder)
    front_end:suspend(true)
    world:sleep(500)
    front_end:resume()
    local lines = Check.journal(world, "open")
    equal(lines[3].b - lines[2].b, 500000, "b")
    equal(lines[3].m - lines[2].m, 0, "m")
end)

test("a kernel without a clock that runs through sleep leaves it out and is not asked for it", function(folder)
    local world, front_end = reading(folder, function(world) world.no_boottime = true end)
    front_end:turn(13)
    for _, line in ipairs((Check.journal(world, "open"))) do equal(line.b, nil, "b") end
    equal(#world.errors, 0, "errors: " .. table.concat(world.errors, "; "))
end)

test("a KOReader that knows no such clock leaves it out", function(folder)
    local world = reading(folder, function(world)
        local time = world:_time()
        time.boottime, time.boottime_or_monotonic = nil, nil
        function world._time() return time end
    end)
    equal(Check.journal(world, "open")[1].b, nil, "b")
end)

for name, boot_id in pairs({ ["no name"] = false, ["half a name"] = "7d1e5a52", ["a strange name"] = ("x"):rep(36) }) do
    test(("a kernel with %s for its run leaves it out"):format(name), function(folder)
        local world = reading(folder, function(world) world.boot_id = boot_id end)
        equal(Check.journal(world, "open")[1].boot, nil, "boot")
    end)
end

-- ------------------------------------------------------------------------------------------------ the place

test("the progress is KOReader's own, which leaves out what is hidden, and of the page just turned to", function(folder)
    local world, front_end = Check.koreader(folder)
    local book = Check.book(folder)
    book.fraction = function(page) return page / 777 end
    front_end:open(book)
    front_end:turn(13)
    front_end:close()
    local lines = Check.journal(world, "jsonl")
    equal(lines[1].fraction, 12 / 777, "at the opening")
    equal(lines[2].fraction, 13 / 777, "at the turn")
    equal(lines[3].fraction, 13 / 777, "at the close")
end)

test("a KOReader without a footer gives no progress and is no error", function(folder)
    local world, front_end = reading(folder)
    front_end.window.view.footer = nil
    front_end.window[1] = { handleEvent = function() return false end }
    front_end:turn(13)
    front_end.window.view = nil
    front_end:turn(14)
    equal(Check.events(world, "open"), "open page page", "events")
    equal(Check.journal(world, "open")[2].fraction, nil, "fraction")
    equal(#world.errors, 0, "errors: " .. table.concat(world.errors, "; "))
end)

--- A book with the page numbers of a printed edition on these pages.
local function labelled(folder, labels)
    local world, front_end = Check.koreader(folder)
    local book = Check.book(folder)
    book.labels = labels
    front_end:open(book)
    return world, front_end
end

test("the page label is written at the opening, the turn and the close if the reader uses labels", function(folder)
    local world, front_end = labelled(folder, { [12] = "xii", [13] = "Page 1" })
    front_end:turn(13)
    front_end:close()
    local lines = Check.journal(world, "jsonl")
    equal(lines[1].label, "xii", "at the opening")
    equal(lines[2].label, "1", "at the turn")
    equal(lines[3].label, "1", "at the close")
end)

test("a book whose labels the reader does not use has none", function(folder)
    local world, front_end = Check.koreader(folder)
    local book = Check.book(folder)
    book.labels, book.use_labels = { [12] = "xii" }, false
    front_end:open(book)
    equal(Check.journal(world, "open")[1].label, nil, "label")
    equal(front_end.window.pagemap.asked, 0, "times asked")
end)

test("a page without a label, at which KOReader raises, is written without one", function(folder)
    local world, front_end = labelled(folder, { [12] = "xii" })
    front_end:turn(13)
    equal(Check.events(world, "open"), "open page", "events")
    equal(Check.journal(world, "open")[2].label, nil, "label")
    equal(#world.errors, 0, "errors: " .. table.concat(world.errors, "; "))
end)

test("a label as long as a chapter is cut", function(folder)
    local world = labelled(folder, { [12] = ("ß"):rep(5000) })
    local label = Check.journal(world, "open")[1].label
    assert(#label > 50 and #label < 200, "the label has " .. #label .. " bytes")
end)

test("a page turn has no text mended that is plain already, which KOReader does byte by byte", function(folder)
    local world, front_end = labelled(folder, { [12] = "xii", [13] = "1", [14] = "Seite ß" })
    local before = world.slow_texts
    front_end:turn(13)
    equal(world.slow_texts, before, "texts mended at a plain turn")
    front_end:turn(14)
    equal(world.slow_texts, before + 1, "texts mended at one with a letter of its own")
end)

test("a turn that KOReader announces twice asks for the label once", function(folder)
    local _, front_end = labelled(folder, { [12] = "xii", [13] = "1" })
    local before = front_end.window.pagemap.asked
    front_end:turn(13)
    equal(front_end.window.pagemap.asked, before + 1, "times asked")
end)

test("where the text flows, the opening, the sleep and the close have the xpointer, and no page has", function(folder)
    local world, front_end = reading(folder)
    front_end:turn(13)
    front_end:suspend(true)
    front_end:resume()
    front_end:close()
    local lines = Check.journal(world, "jsonl")
    equal(Check.events(world, "jsonl"), "open page suspend resume close snapshot", "events")
    equal(lines[1].xpointer, "/body/DocFragment[4]/body/p[12]/text().0", "at the opening")
    equal(lines[2].xpointer, nil, "at the turn")
    equal(lines[3].xpointer, "/body/DocFragment[4]/body/p[13]/text().0", "at the sleep")
    equal(lines[4].xpointer, nil, "at the wake-up")
    equal(lines[5].xpointer, "/body/DocFragment[4]/body/p[13]/text().0", "at the close")
end)

test("a book with fixed pages has no xpointer anywhere", function(folder)
    local world, front_end = Check.koreader(folder)
    local book = Check.book(folder)
    book.xpointer = nil
    front_end:open(book)
    front_end:suspend(true)
    front_end:close()
    for _, line in ipairs((Check.journal(world, "jsonl"))) do equal(line.xpointer, nil, line.ev) end
end)

test("an xpointer that is too long is absent, because half of one is another place", function(folder)
    local world, front_end = Check.koreader(folder)
    local book = Check.book(folder)
    book.xpointer = function() return "/body" .. ("/div"):rep(1000) end
    front_end:open(book)
    front_end:close()
    for _, line in ipairs((Check.journal(world, "jsonl"))) do equal(line.xpointer, nil, line.ev) end
end)

test("a book that scrolls, of which KOReader announces places and no pages, has its page turns", function(folder)
    local world, front_end = Check.koreader(folder)
    local book = Check.book(folder)
    book.scrolls = true
    front_end:open(book)
    front_end:turn(13)
    front_end:turn(14)
    front_end:close()
    local lines = Check.journal(world, "jsonl")
    equal(Check.events(world, "jsonl"), "open page page close snapshot", "events")
    equal(lines[1].fraction, nil, "progress before the first turn")
    equal(lines[2].page, 13, "page")
    equal(lines[2].fraction, 13 / 600, "progress")
end)

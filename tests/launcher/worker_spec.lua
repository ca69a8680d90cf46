--- When the worker is started, how it is watched, and what becomes of its result.

local Check = require("check")
local Fake = require("fake_koreader")
local cjson = require("cjson")

local test, equal, matches = Check.test, Check.equal, Check.matches

local function reading(folder, change)
    local world, front_end = Check.koreader(folder, change)
    front_end:open(Check.book(folder))
    return world, front_end
end

local function read_and_close(folder, change)
    local world, front_end = reading(folder, change)
    front_end:turn(13)
    front_end:close()
    return world, front_end
end

local function jobs_left(world)
    return #Check.names(world.root .. "/bookloresync/jobs")
end

local function reasons(world)
    local list = {}
    for _, run in ipairs(world.spawned or {}) do list[#list + 1] = run.job.reason end
    return table.concat(list, " ")
end

-- ------------------------------------------------------------------------------------------------ triggers

test("closing a book starts the worker exactly once, after the journal is finished", function(folder)
    local world = read_and_close(folder)
    world:pass(10)
    equal(reasons(world), "close", "starts")
    equal(#world.spawned[1].journal, 1, "journals when the worker started")
    matches(world.spawned[1].journal[1], "%.jsonl$", "journal when the worker started")
end)

test("the handlers of a closing book finish the journal and leave the start to a moment after drawing", function(folder)
    local world, front_end = reading(folder)
    front_end:close_book()
    equal(#world.commands, 0, "commands before KOReader has drawn")
    equal(Check.events(world, "jsonl"), "open close snapshot", "journal before KOReader has drawn")
    world:pass(0)
    equal(reasons(world), "close", "starts")
end)

test("a book closed right before the power goes starts nothing", function(folder)
    local world, front_end = reading(folder)
    front_end:close_book()
    front_end:file_manager()
    front_end:power_off()
    equal(#world.commands, 0, "commands")
end)

test("closing a book does not wait for a network that settles", function(folder)
    local world, front_end = reading(folder)
    front_end:connect()
    front_end:close()
    equal(reasons(world), "close", "starts at once")
    Check.answer(world, 1)
    world:pass(60)
    equal(Check.starts(world), 1, "starts in the end")
end)

test("a book closed in the very moment in which a run ends is sent too", function(folder)
    local world, front_end = read_and_close(folder)
    front_end:open(Check.book(folder))
    Check.answer(world, 1)
    world.monotonic_us = world.monotonic_us + 2000000 -- KOReader was busy, and the look at the run is overdue
    front_end:close()
    equal(reasons(world), "close close", "starts")
end)

test("a network that comes while a run gives up on the old one is not forgotten", function(folder)
    local world, front_end = read_and_close(folder)
    front_end:connect()
    Check.answer(world, 1, { outcome = "offline" })
    world:pass(30)
    equal(reasons(world), "close network", "starts")
end)

test("closing a book without a connection starts nothing", function(folder)
    local world = read_and_close(folder, function(world) world.connected = false end)
    world:pass(200)
    equal(Check.starts(world), 0, "starts")
end)

test("a book that was opened starts the worker after three seconds, and names it", function(folder)
    local world = reading(folder)
    world:pass(2.9)
    equal(Check.starts(world), 0, "starts before three seconds")
    world:pass(0.2)
    equal(reasons(world), "open", "starts")
    equal(world.spawned[1].job.verb, "sync", "verb")
    equal(world.spawned[1].job.book, folder .. "/Moby Dick.epub", "book")
end)

test("opening a book without a network starts nothing", function(folder)
    local world = reading(folder, function(world) world.connected = false end)
    world:pass(60)
    equal(Check.starts(world), 0, "starts")
end)

test("a book that is closed again at once is not asked for", function(folder)
    local world = read_and_close(folder)
    Check.answer(world, 1)
    world:pass(60)
    equal(reasons(world), "close", "starts")
end)

test("another book that is opened right after a run that came through is asked for", function(folder)
    local world, front_end = read_and_close(folder)
    Check.answer(world, 1)
    world:pass(2)
    front_end:open(Check.book(folder))
    world:pass(4)
    equal(reasons(world), "close open", "starts")
end)

test("a book that is opened again within 25 seconds is asked for once", function(folder)
    local world, front_end = reading(folder)
    world:pass(4)
    Check.answer(world, 1)
    world:pass(2)
    front_end:close()
    Check.answer(world, 2)
    world:pass(2)
    front_end:open(Check.book(folder))
    world:pass(4)
    equal(reasons(world), "open close", "starts")
end)

test("a book that is opened within 25 seconds of a run that found no server waits for their end", function(folder)
    local world, front_end = read_and_close(folder)
    Check.answer(world, 1, { outcome = "offline" })
    world:pass(2)
    front_end:open(Check.book(folder))
    world:pass(22)
    equal(reasons(world), "close", "starts after 24 s")
    world:pass(2)
    equal(reasons(world), "close open", "starts after 26 s")
end)

test("a book that was closed before its turn came is not asked for", function(folder)
    local world, front_end = read_and_close(folder)
    front_end:open(Check.book(folder))
    world:pass(4)
    front_end:close()
    Check.answer(world, 1)
    world:pass(2)
    Check.answer(world, 2)
    world:pass(60)
    equal(reasons(world), "close close", "starts")
end)

test("a book that is opened during the run for the one before it is asked for after it", function(folder)
    local world, front_end = reading(folder)
    local other = Check.book(folder)
    other.file = folder .. "/Typee.epub"
    front_end:switch(other)
    world:pass(4)
    equal(reasons(world), "close", "starts during the run")
    Check.answer(world, 1)
    world:pass(2)
    equal(reasons(world), "close open", "starts after it")
    equal(world.spawned[2].job.book, other.file, "book")
end)

test("a book that KOReader lays out anew is not asked for a second time", function(folder)
    local world, front_end = reading(folder)
    world:pass(4)
    Check.answer(world, 1)
    world:pass(60)
    front_end:reload()
    Check.answer(world, 2)
    world:pass(60)
    equal(reasons(world), "open close", "starts")
end)

test("a device that falls asleep over a book just opened asks when it wakes up", function(folder)
    local world, front_end = reading(folder)
    world:pass(1)
    front_end:suspend(false)
    world:pass(10)
    equal(Check.starts(world), 0, "starts while it falls asleep")
    front_end:resume()
    world:pass(3)
    equal(reasons(world), "open", "starts")
end)

test("a book opened right before KOReader ends is not asked for", function(folder)
    local world, front_end = reading(folder, function(world) world.connected = false end)
    front_end:exit()
    world.connected = true
    world:pass(60)
    equal(Check.starts(world), 0, "starts")
end)

test("turning pages starts nothing", function(folder)
    local world, front_end = reading(folder)
    world:pass(4)
    Check.answer(world, 1)
    for page = 13, 40 do
        front_end:turn(page)
        world:pass(60)
    end
    equal(reasons(world), "open", "starts")
end)

test("switching to another book starts the worker for the first", function(folder)
    local world, front_end = reading(folder)
    front_end:switch(Check.book(folder))
    equal(reasons(world), "close", "starts")
end)

test("a reload starts the worker for the part that was read", function(folder)
    local world, front_end = reading(folder)
    front_end:reload()
    equal(reasons(world), "close", "starts")
end)

for _, way in ipairs({ "power_off", "reboot", "usb_storage" }) do
    test(("nothing is started at %s with a book open"):format(way), function(folder)
        local world, front_end = reading(folder)
        front_end:turn(13)
        front_end[way](front_end)
        equal(Check.starts(world), 0, "starts")
    end)

    test(("a running worker is terminated at %s"):format(way), function(folder)
        local world, front_end = read_and_close(folder)
        local pid = world.spawned[1].pid
        front_end[way](front_end)
        equal(world.commands[#world.commands], "kill -TERM " .. pid, "last command")
        equal(world.processes[pid], nil, "process")
        equal(world.standby_prevented, 0, "standby")
    end)
end

test("a book that opens, and an exit after an autosave, do not terminate a running worker", function(folder)
    local world, front_end = read_and_close(folder)
    local pid = world.spawned[1].pid
    front_end:open(Check.book(folder))
    assert(world.processes[pid], "terminated by a book that opens")
    front_end:close()
    front_end:send("FlushSettings")
    world:pass(0.1)
    front_end:exit()
    assert(world.processes[pid], "terminated by an exit after an autosave")
end)

test("a worker that outlived a restart is terminated too when the storage is shared", function(folder)
    local world, front_end = reading(folder)
    front_end:restart()
    local pid = world.spawned[1].pid
    front_end = Check.start_again(world)
    front_end:usb_storage()
    equal(world.processes[pid], nil, "process")
end)

test("a number that belongs to another program by now is not terminated", function(folder)
    local world, front_end = read_and_close(folder)
    world.processes[world.spawned[1].pid] = "/sbin/init"
    front_end:usb_storage()
    equal(world.processes[world.spawned[1].pid], "/sbin/init", "process")
end)

for _, way in ipairs({ "exit", "restart" }) do
    test(("%s with a book open starts the worker and does not wait for it"):format(way), function(folder)
        local world, front_end = reading(folder)
        front_end[way](front_end)
        equal(reasons(world), "exit", "starts")
        equal(#world.queue, 0, "scheduled tasks")
        equal(world.standby_prevented, 0, "standby")
    end)

    test(("%s from the file browser starts nothing and lets a running worker live"):format(way), function(folder)
        local world, front_end = read_and_close(folder)
        front_end[way](front_end)
        equal(reasons(world), "close", "starts")
        assert(world.processes[world.spawned[1].pid], "the worker was killed")
        equal(world.standby_prevented, 0, "standby")
    end)
end

test("the network starts the worker a second after it came", function(folder)
    local world, front_end = Check.koreader(folder, function(world) world.connected = false end)
    front_end:connect()
    world:pass(0.9)
    equal(Check.starts(world), 0, "starts before a second")
    world:pass(0.2)
    equal(reasons(world), "network", "starts")
end)

test("what a cable kept from being sent is sent after the next start", function(folder)
    local world, front_end = reading(folder)
    front_end:turn(13)
    front_end:usb_storage()
    Check.start_again(world)
    world:pass(4)
    equal(Check.starts(world), 0, "starts after 4 s")
    world:pass(2)
    equal(reasons(world), "start", "starts after 6 s")
end)

test("what a cable kept from being sent is sent once after a start straight into a book", function(folder)
    local world, front_end = reading(folder)
    front_end:turn(13)
    front_end:usb_storage()
    front_end = Check.start_again(world, Check.book(folder))
    world:pass(4)
    Check.answer(world, 1)
    world:pass(60)
    equal(reasons(world), "open", "starts")
    equal(front_end.book.page, 12, "page of the open book")
end)

test("a start of KOReader with nothing to send starts nothing", function(folder)
    local world = Check.koreader(folder)
    world:pass(60)
    equal(Check.starts(world), 0, "starts")
end)

test("a first start, without a menu, asks for the status once, also without a network", function(folder)
    local world = Check.koreader(folder, function(world) world.connected = false end, true)
    world:pass(4)
    equal(Check.starts(world), 0, "starts after 4 s")
    world:pass(2)
    equal(reasons(world), "start", "starts after 6 s")
    equal(world.spawned[1].job.verb, "status", "verb")
    Check.answer(world, 1)
    world:pass(600)
    equal(Check.starts(world), 1, "starts in the end")
end)

test("what the worker says at a first start passes by, and is not taken for the answer to a tap", function(folder)
    local world = Check.koreader(folder, nil, true)
    world:pass(6)
    Check.answer(world, 1, { messages = {
        { level = "info", text = "Sessions of your old plugin can be taken over" }, { level = "info", text = "more" },
    } })
    world:pass(2)
    equal(#world.shown, 1, "messages")
    equal(world.shown[1].kind, "Notification", "kind")
    equal(world.shown[1].text, "Sessions of your old plugin can be taken over", "text")
end)

test("a first start straight into a book, and a book opened right away, ask once", function(folder)
    local world, front_end = Check.koreader(folder, nil, true)
    front_end:open(Check.book(folder))
    front_end:switch(Check.book(folder))
    Check.answer(world, 1)
    world:pass(4)
    Check.answer(world, 2)
    world:pass(20)
    equal(reasons(world), "close open start", "starts")
end)

test("a menu that a run has written meanwhile is not asked for", function(folder)
    local world, front_end = Check.koreader(folder, nil, true)
    front_end:send("BookloreSync")
    Check.write(folder .. "/bookloresync/menu.json", "{}")
    Check.answer(world, 1)
    world:pass(20)
    equal(reasons(world), "tap", "starts")
end)

test("a worker that did not write a menu at the first start is asked again at the next", function(folder)
    local world = Check.koreader(folder, nil, true)
    world:pass(6)
    Check.answer(world, 1)
    world:pass(2)
    Check.start_again(world)
    world:pass(6)
    equal(reasons(world), "start start", "starts")
end)

test("a first start that leaves something to send from before asks and sends", function(folder)
    local world, front_end = Check.koreader(folder, nil, true)
    front_end:open(Check.book(folder))
    front_end:crash()
    Check.start_again(world)
    world:pass(6)
    Check.answer(world, 1)
    world:pass(2)
    local verbs = {}
    for _, run in ipairs(world.spawned) do verbs[#verbs + 1] = run.job.verb end
    table.sort(verbs)
    equal(table.concat(verbs, " "), "status sync", "verbs")
end)

test("a KOReader that ends right after its first start starts nothing", function(folder)
    local world, front_end = Check.koreader(folder, nil, true)
    front_end:exit()
    world:pass(60)
    equal(Check.starts(world), 0, "starts")
end)

test("a network that is gone again within a second starts nothing", function(folder)
    local world, front_end = Check.koreader(folder)
    front_end:connect()
    front_end:disconnect()
    world:pass(30)
    equal(Check.starts(world), 0, "starts")
end)

--- A book that is open, and whose run is over.
local function asked(folder)
    local world, front_end = reading(folder)
    world:pass(4)
    Check.answer(world, 1)
    world:pass(30)
    return world, front_end
end

test("waking up starts the worker after two seconds if the network stayed", function(folder)
    local world, front_end = asked(folder)
    front_end:suspend(false)
    world:sleep(3600)
    front_end:resume()
    world:pass(1.9)
    equal(Check.starts(world), 1, "starts before two seconds")
    world:pass(0.2)
    equal(reasons(world), "open wake", "starts")
end)

test("waking up without a network starts nothing until it comes", function(folder)
    local world, front_end = asked(folder)
    front_end:suspend(true)
    world:sleep(3600)
    front_end:resume()
    world:pass(10)
    equal(Check.starts(world), 1, "starts before the network")
    front_end:connect()
    world:pass(2)
    equal(reasons(world), "open network", "starts")
end)

test("a network that comes right after waking up is what starts the worker", function(folder)
    local world, front_end = asked(folder)
    front_end:suspend(true)
    front_end:resume()
    world:pass(0.5)
    front_end:connect()
    world:pass(5)
    equal(reasons(world), "open network", "starts")
end)

test("after a night a wake-up counts again, also for a device whose clock stood still", function(folder)
    local world, front_end = read_and_close(folder)
    Check.answer(world, 1)
    world:pass(3)
    front_end:suspend(false)
    world:sleep(8 * 3600)
    front_end:resume()
    world:pass(3)
    equal(reasons(world), "close wake", "starts")
end)

test("a book that was opened without a network is asked for when it comes, and once", function(folder)
    local world, front_end = reading(folder, function(world) world.connected = false end)
    world:pass(60)
    front_end:connect()
    world:pass(2)
    equal(reasons(world), "open", "starts")
    Check.answer(world, 1)
    world:pass(30)
    front_end:disconnect()
    front_end:connect()
    world:pass(2)
    equal(reasons(world), "open network", "starts")
end)

test("a book that was closed before the network came is not asked for", function(folder)
    local world, front_end = reading(folder, function(world) world.connected = false end)
    front_end:close()
    front_end:connect()
    world:pass(4)
    equal(reasons(world), "network", "starts")
end)

test("a power-off that did not happen does not stop the plugin for good", function(folder)
    local world, front_end = Check.koreader(folder)
    front_end:send("PowerOff")
    front_end:open(Check.book(folder))
    front_end:close()
    equal(reasons(world), "close", "starts")
end)

test("a book view that is closed twice starts the worker once", function(folder)
    local world, front_end = reading(folder)
    local view = front_end.window
    front_end:close()
    Check.answer(world, 1)
    world:pass(2)
    view:handleEvent({ name = "CloseWidget", arguments = {} })
    world:pass(2)
    equal(Check.starts(world), 1, "starts")
    equal(#world.errors, 0, "errors: " .. table.concat(world.errors, "; "))
end)

test("a tap for what a closing book asked for already makes it a tap", function(folder)
    local world, front_end = read_and_close(folder)
    front_end:open(Check.book(folder))
    front_end:close()
    front_end:send("BookloreSync")
    Check.answer(world, 1)
    world:pass(2)
    equal(reasons(world), "close tap", "starts")
end)

test("falling asleep starts nothing", function(folder)
    local world, front_end = reading(folder)
    front_end:suspend(false)
    world:pass(60)
    equal(Check.starts(world), 0, "starts")
end)

test("wake-up and network together start the worker once", function(folder)
    local world, front_end = Check.koreader(folder)
    front_end:resume()
    front_end:connect()
    world:pass(3)
    Check.answer(world, 1)
    world:pass(60)
    equal(Check.starts(world), 1, "starts")
end)

test("within 25 seconds of a run that came through, a wake-up starts nothing", function(folder)
    local world, front_end = read_and_close(folder)
    Check.answer(world, 1)
    world:pass(3)
    front_end:resume()
    world:pass(60)
    equal(reasons(world), "close", "starts")
end)

test("within 25 seconds of a run that found no server, the network starts the next one after them", function(folder)
    local world, front_end = read_and_close(folder)
    Check.answer(world, 1, { outcome = "offline" })
    world:pass(5)
    front_end:connect()
    world:pass(19)
    equal(reasons(world), "close", "starts after 24 s")
    world:pass(2)
    equal(reasons(world), "close network", "starts after 26 s")
end)

test("25 seconds after a run a wake-up counts again", function(folder)
    local world, front_end = read_and_close(folder)
    Check.answer(world, 1)
    world:pass(26)
    front_end:resume()
    world:pass(3)
    equal(reasons(world), "close wake", "starts")
end)

test("closing books in quick succession is not debounced", function(folder)
    local world, front_end = read_and_close(folder)
    Check.answer(world, 1)
    world:pass(2)
    front_end:open(Check.book(folder))
    front_end:close()
    equal(reasons(world), "close close", "starts")
end)

test("whatever is asked for during a run is done once after it", function(folder)
    local world, front_end = read_and_close(folder)
    for _ = 1, 3 do
        front_end:open(Check.book(folder))
        front_end:close()
        world:pass(1)
    end
    equal(Check.starts(world), 1, "starts during the run")
    Check.answer(world, 1)
    world:pass(2)
    equal(reasons(world), "close close", "starts after it")
    Check.answer(world, 2)
    world:pass(60)
    equal(Check.starts(world), 2, "starts in the end")
end)

test("a status tapped for during a run is not swallowed by a book that closes meanwhile", function(folder)
    local world, front_end = read_and_close(folder)
    front_end.menu_items.bookloresync.sub_item_table_func()[1].callback() -- asks for the status
    front_end:open(Check.book(folder))
    front_end:close()
    Check.answer(world, 1)
    world:pass(2)
    Check.answer(world, 2)
    world:pass(2)
    equal(reasons(world), "close tap close", "starts")
    equal(world.spawned[2].job.verb, "status", "verb of the tap")
end)

test("a status tapped for right after the network came does not swallow the sync", function(folder)
    local world, front_end = Check.koreader(folder)
    front_end:connect()
    world:pass(0.5)
    front_end.menu_items.bookloresync.sub_item_table_func()[1].callback()
    world:pass(1)
    Check.answer(world, 1)
    world:pass(2)
    equal(reasons(world), "tap network", "starts")
end)

test("asking for the status does not count as a sync when the network comes", function(folder)
    local world, front_end = Check.koreader(folder)
    front_end.menu_items.bookloresync.sub_item_table_func()[1].callback()
    Check.answer(world, 1)
    world:pass(2)
    front_end:connect()
    world:pass(2)
    equal(reasons(world), "tap network", "starts")
end)

test("exit during a run leaves that run alone and starts no second one", function(folder)
    local world, front_end = read_and_close(folder)
    front_end:open(Check.book(folder))
    front_end:exit()
    equal(reasons(world), "close", "starts")
    assert(world.processes[world.spawned[1].pid], "the worker was killed")
    equal(world.standby_prevented, 0, "standby")
end)

test("a gesture starts the worker, also without a connection", function(folder)
    local world, front_end = Check.koreader(folder, function(world) world.connected = false end)
    equal(world.actions.bookloresync_sync.event, "BookloreSync", "action")
    front_end:send(world.actions.bookloresync_sync.event)
    equal(reasons(world), "tap", "starts")
    equal(world.spawned[1].job.verb, "sync", "verb")
end)

-- ------------------------------------------------------------------------------------------------ the job

test("the job says what the worker needs to know", function(folder)
    local world = read_and_close(folder)
    local job = world.spawned[1].job
    equal(job.version, 1, "version")
    matches(job.job, "^1795385639%-[0-9a-f]+$", "job")
    equal(job.verb, "sync", "verb")
    equal(job.at, 1795385639, "at")
    equal(job.utc_offset_s, 3600, "utc_offset_s")
    equal(job.device.model, "Kobo_nova", "model")
    equal(job.device.id, "0A1B2C3D", "id")
    equal(job.proxy, cjson.null, "proxy")
    equal(job.deadline_s, 120, "deadline_s")
end)

test("a proxy that KOReader uses is passed on, one that is switched off is not", function(folder)
    local world = read_and_close(folder, function(world)
        world.settings.http_proxy, world.settings.http_proxy_enabled = "http://10.0.0.1:3128", true
    end)
    equal(world.spawned[1].job.proxy, "http://10.0.0.1:3128", "proxy")
    world.settings.http_proxy_enabled = false
    Check.answer(world, 1)
    world:pass(2)
    local front_end = Check.start_again(world)
    front_end:send("BookloreSync")
    equal(world.spawned[2].job.proxy, cjson.null, "proxy switched off")
end)

test("the job says whether KOReader's own progress sync sends by itself", function(folder)
    local world, front_end = Check.koreader(folder)
    local n = 0
    local function said(settings, disabled)
        world.settings.kosync, world.settings.plugins_disabled = settings, disabled
        front_end:send("BookloreSync")
        n = n + 1
        Check.answer(world, n)
        world:pass(2)
        return world.spawned[n].job.kosync
    end
    equal(said(nil), false, "without settings")
    equal(said({ auto_sync = true, username = "reader", userkey = "5f4d" }), true, "automatic")
    equal(said({ auto_sync = false, username = "reader", userkey = "5f4d" }), false, "by hand")
    equal(said({ auto_sync = true, username = "reader" }), false, "automatic, but without an account")
    equal(said({ auto_sync = true, userkey = "5f4d" }, { kosync = true }), false, "automatic, but switched off")
    equal(said({ auto_sync = true, userkey = "5f4d" }, { statistics = true }), true, "another plugin switched off")
end)

test("the progress sync of newer KOReaders has a settings file of its own", function(folder)
    local world, front_end = Check.koreader(folder)
    Fake.real.execute("mkdir -p '" .. folder .. "/settings'")
    Check.write(folder .. "/settings/kosync.lua", 'return { settings = { auto_sync = true, userkey = "5f4d" } }')
    front_end:send("BookloreSync")
    equal(world.spawned[1].job.kosync, true, "in the file")
end)

test("with a book open the progress sync is asked itself", function(folder)
    local world, front_end = reading(folder)
    front_end.window.kosync = { settings = { auto_sync = true, userkey = "5f4d" } }
    front_end:send("BookloreSync")
    equal(world.spawned[1].job.kosync, true, "in memory")
end)

test("settings of the progress sync that are broken keep no job from being written", function(folder)
    local world, front_end = reading(folder)
    front_end.window.kosync = true
    front_end:send("BookloreSync")
    equal(world.spawned[1].job.kosync, false, "kosync")
end)

test("the job names the book that is open, and none in the file browser", function(folder)
    local world, front_end = reading(folder)
    front_end:send("BookloreSync")
    equal(world.spawned[1].job.book, folder .. "/Moby Dick.epub", "with a book open")
    Check.answer(world, 1)
    world:pass(2)
    front_end:close()
    equal(world.spawned[2].job.book, nil, "after it is closed")
end)

test("the job of an exit out of a book names none, since it is closed", function(folder)
    local world, front_end = reading(folder)
    front_end:exit()
    equal(world.spawned[1].job.book, nil, "book")
end)

test("the job names an open book that is not recorded, too", function(folder)
    local world, front_end = Check.koreader(folder)
    Check.write(folder .. "/bookloresync/untracked.txt", folder .. "/Moby Dick.epub\n")
    front_end:open(Check.book(folder))
    front_end:send("BookloreSync")
    equal(world.spawned[1].job.book, folder .. "/Moby Dick.epub", "book")
end)

test("arguments are written in the order of their names, so that equal ones are equal", function(folder)
    local world, front_end = Check.koreader(folder)
    front_end:send("BookloreSync")
    Check.answer(world, 1)
    world:pass(2)
    local arguments, sorted = {}, {}
    for index = 20, 1, -1 do
        local name = string.char(96 + index)
        arguments[name] = index
        table.insert(sorted, 1, ('"%s":%d'):format(name, index))
    end
    package.loaded["booklore_process"].current.tap("set", arguments)
    local text = '"arguments":{' .. table.concat(sorted, ",") .. "},"
    assert(world.spawned[2].job_text:find(text, 1, true), world.spawned[2].job_text)
end)

for zone, offset in pairs({ ["-0330"] = -12600, ["+0000"] = 0, ["+0545"] = 20700 }) do
    test(("the time zone %s is an offset of %d s"):format(zone, offset), function(folder)
        local world = read_and_close(folder, function(world) world.time_zone = zone end)
        equal(world.spawned[1].job.utc_offset_s, offset, "utc_offset_s")
    end)
end

-- ------------------------------------------------------------------------------------------------ the wait

test("standby is prevented and the second core on exactly while the worker runs", function(folder)
    local world = read_and_close(folder)
    equal(world.standby_prevented, 1, "standby during the run")
    equal(table.concat(world.cpu_cores, " "), "2", "cores during the run")
    Check.answer(world, 1)
    world:pass(2)
    equal(world.standby_prevented, 0, "standby after the run")
    equal(table.concat(world.cpu_cores, " "), "2 1", "cores after the run")
end)

test("the result is found although the book view that started the run is gone", function(folder)
    local world, front_end = reading(folder)
    front_end:switch(Check.book(folder))
    Check.answer(world, 1, Check.said("1 reading session sent"))
    world:pass(2)
    equal(world.shown[1].text, "1 reading session sent", "message")
end)

test("the result is looked for after 0.25 s, then ever less often, down to once a second", function(folder)
    local world = read_and_close(folder)
    local waits = {}
    for _ = 1, 7 do
        local wait = (world.queue[1].due - world.monotonic_us) / 1000000
        waits[#waits + 1] = ("%.2f"):format(wait)
        world:pass(wait)
    end
    equal(table.concat(waits, " "), "0.25 0.38 0.56 0.84 1.00 1.00 1.00", "waits")
end)

test("a worker that hangs is killed 30 seconds after its deadline, and the reader can go on", function(folder)
    local world, front_end = read_and_close(folder)
    world:pass(149)
    assert(world.processes[world.spawned[1].pid], "killed too early")
    world:pass(4)
    equal(world.commands[#world.commands], "kill -KILL " .. world.spawned[1].pid, "last command")
    equal(world.standby_prevented, 0, "standby")
    equal(jobs_left(world), 0, "job files")
    front_end:send("BookloreSync")
    equal(Check.starts(world), 2, "starts")
end)

test("a worker that dies without a result is noticed within seconds and told once", function(folder)
    local world, front_end = read_and_close(folder)
    world.processes = {}
    world:pass(3)
    equal(world.standby_prevented, 0, "standby")
    equal(#world.shown, 1, "messages")
    matches(world.shown[1].text, "without a result", "message")
    front_end:open(Check.book(folder))
    front_end:close()
    world.processes = {}
    world:pass(3)
    equal(#world.shown, 1, "messages after the second time")
end)

test("switching the plugin off terminates the worker and forgets its result", function(folder)
    local world, front_end = read_and_close(folder)
    front_end.plugin:stopPlugin()
    equal(world.processes[world.spawned[1].pid], nil, "process")
    equal(world.standby_prevented, 0, "standby")
    world:pass(60)
    equal(#world.shown, 0, "messages")
end)

test("a plugin that was switched off starts nothing more", function(folder)
    local world, front_end = Check.koreader(folder)
    front_end.plugin:stopPlugin(true)
    front_end:open(Check.book(folder))
    front_end:close()
    front_end:connect()
    world:pass(60)
    equal(Check.starts(world), 0, "starts")
end)

-- ------------------------------------------------------------------------------------------------ wishes during a run

--- A tap on a menu item, as the menu sends it.
local function tap(verb, arguments)
    package.loaded["booklore_process"].current.tap(verb, arguments)
end

--- Lets every run end at once, and says what each was for.
local function finish_all(world)
    local n, jobs = 0, {}
    while n < Check.starts(world) do
        n = n + 1
        local job = world.spawned[n].job
        local what = { job.verb }
        for _, name in ipairs({ "name", "value", "on" }) do
            local value = job.arguments and job.arguments[name]
            if value ~= nil then what[#what + 1] = tostring(value) end
        end
        jobs[#jobs + 1] = table.concat(what, " ")
        Check.answer(world, n)
        world:pass(2)
    end
    return table.concat(jobs, ", ")
end

test("changes tapped for during a run are all done after it, in their order", function(folder)
    local world = read_and_close(folder)
    tap("set", { name = "idle", value = 5 })
    tap("set", { name = "join", on = true })
    tap("track", { on = false })
    equal(Check.starts(world), 1, "starts during the run")
    equal(finish_all(world), "sync, set idle 5, set join true, track false", "runs")
end)

test("the same change tapped for several times during a run is done once, and the last one wins", function(folder)
    local world = read_and_close(folder)
    tap("set", { name = "join", on = true })
    tap("set", { name = "join", on = false })
    tap("set", { name = "join", on = true })
    tap("set", { name = "join", on = true })
    equal(finish_all(world), "sync, set join false, set join true", "runs")
    equal(jobs_left(world), 0, "job files")
end)

test("a sync asked for in two books during a run is done once", function(folder)
    local world, front_end = read_and_close(folder)
    front_end:open(Check.book(folder))
    tap("sync")
    local other = Check.book(folder)
    other.file = folder .. "/Typee.epub"
    front_end:switch(other)
    tap("sync")
    equal(finish_all(world), "sync, sync, sync", "runs")
    equal(reasons(world), "close tap open", "what they were for")
end)

test("the same change in two books is two changes", function(folder)
    local world, front_end = read_and_close(folder)
    front_end:open(Check.book(folder))
    tap("track", { on = false })
    local other = Check.book(folder)
    other.file = folder .. "/Typee.epub"
    front_end:switch(other)
    tap("track", { on = false })
    equal(finish_all(world), "sync, track false, sync, track false, sync", "runs")
    equal(world.spawned[2].job.book, folder .. "/Moby Dick.epub", "first book")
    equal(world.spawned[4].job.book, folder .. "/Typee.epub", "second book")
end)

test("a change tapped for is done although a sync before it has to wait", function(folder)
    local world, front_end = read_and_close(folder)
    front_end:connect()
    world:pass(1.1)
    tap("set", { name = "join", on = true })
    Check.answer(world, 1, { outcome = "offline" })
    world:pass(2)
    equal(world.spawned[2].job.verb, "set", "verb after the run")
    Check.answer(world, 2)
    world:pass(30)
    equal(reasons(world), "close tap network", "starts")
end)

test("a change that finds no memory for a shell does not hold up what was wished after it", function(folder)
    local world = read_and_close(folder)
    tap("set", { name = "join", on = true })
    tap("status")
    world.shell_answers = -1
    Check.answer(world, 1)
    world:pass(2)
    local refused = 0
    for _, message in ipairs(world.shown) do
        if message.text:find("no space or memory left", 1, true) then refused = refused + 1 end
    end
    equal(refused, 2, "messages")
    equal(jobs_left(world), 0, "job files")
end)

for _, way in ipairs({ "exit", "restart", "power_off", "usb_storage", "crash" }) do
    test(("changes tapped for during a run that is cut short by %s are done at the next start"):format(way),
        function(folder)
        local world, front_end = read_and_close(folder)
        front_end:open(Check.book(folder))
        for value = 1, 3 do tap("set", { name = "idle", value = value }) end
        tap("track", { on = false })
        tap("status")
        front_end[way](front_end)
        world.processes = {}
        equal(Check.starts(world), 1, "starts before")
        Check.start_again(world)
        world:pass(2)
        table.remove(world.spawned, 1)
        equal(finish_all(world), "set idle 1, set idle 2, set idle 3, track false, sync", "runs")
        equal(world.spawned[4].job.book, folder .. "/Moby Dick.epub", "book")
        equal(world.spawned[4].job.reason, "tap", "reason")
        equal(jobs_left(world), 0, "job files")
    end)
end

test("changes left by a restart wait for the run that outlived it", function(folder)
    local world, front_end = reading(folder)
    front_end:send("BookloreSync")
    tap("set", { name = "idle", value = 9 })
    front_end:restart()
    Check.start_again(world)
    equal(Check.starts(world), 1, "starts during the run")
    Check.answer(world, 1)
    world:pass(2)
    equal(world.spawned[2].job.arguments.value, 9, "value")
end)

test("a change whose worker was killed before it read its job is done at the next start", function(folder)
    local world = Check.koreader(folder)
    local kept = { version = 1, job = "1795385639-abcdef", verb = "set", reason = "tap", arguments = { value = 7 } }
    Check.write(folder .. "/bookloresync/jobs/1795385639-abcdef.json", cjson.encode(kept))
    Check.write(folder .. "/bookloresync/jobs/1795385639-abcdef.pid", "4999999\n")
    Check.start_again(world)
    equal(world.spawned[1].job.arguments.value, 7, "value")
    equal(world.spawned[1].job.job, "1795385639-abcdef", "job")
end)

local NO_WISHES = {
    ["broken"] = '{"version":1', ["of another version"] = '{"version":2,"verb":"set","arguments":{"value":7}}',
    ["without a verb"] = '{"version":1,"arguments":{"value":7}}',
    ["with a verb that is more than a word"] = '{"version":1,"verb":"set; reboot","arguments":{"value":7}}',
    ["without arguments"] = '{"version":1,"verb":"sync"}',
    ["with arguments that are none"] = '{"version":1,"verb":"set","arguments":{"a":{"b":1}}}',
}

for what, text in pairs(NO_WISHES) do
    test(("a job left %s is cleared away at the next start and starts nothing"):format(what), function(folder)
        local world = Check.koreader(folder)
        Check.write(folder .. "/bookloresync/jobs/1795385639-abcdef.json", text)
        Check.start_again(world)
        equal(Check.starts(world), 0, "starts")
        equal(jobs_left(world), 0, "job files")
        equal(#world.errors, 0, "errors: " .. table.concat(world.errors, "; "))
    end)
end

-- ------------------------------------------------------------------------------------------------ the result

test("the first line of the first message is shown, and the files of the run are gone", function(folder)
    local world = read_and_close(folder)
    Check.answer(world, 1, { messages = {
        { level = "info", text = "2 reading sessions sent\nand more" }, { level = "info", text = "other" },
    } })
    world:pass(2)
    equal(#world.shown, 1, "messages")
    equal(world.shown[1].kind, "Notification", "kind")
    equal(world.shown[1].text, "2 reading sessions sent", "text")
    equal(#Check.names(world.root .. "/bookloresync/results"), 0, "results")
    equal(jobs_left(world), 0, "job files")
end)

test("a result without a message shows nothing", function(folder)
    local world = read_and_close(folder)
    Check.answer(world, 1)
    world:pass(60)
    equal(#world.shown, 0, "messages")
end)

test("an error after a tap waits to be read, an error in the background passes by", function(folder)
    local world, front_end = read_and_close(folder)
    Check.answer(world, 1, Check.said("Server refused the password", "error"))
    world:pass(2)
    equal(world.shown[1].kind, "Notification", "in the background")
    front_end:send("BookloreSync")
    Check.answer(world, 2, Check.said("Server refused the password", "error"))
    world:pass(2)
    equal(world.shown[#world.shown].kind, "InfoMessage", "after a tap")
    equal(world.shown[#world.shown].text, "Server refused the password", "text")
end)

test("a tap shows all messages of the answer", function(folder)
    local world, front_end = Check.koreader(folder)
    front_end:send("BookloreSync")
    Check.answer(world, 1, { messages = { { level = "info", text = "1 waits" }, { level = "info", text = "Typee" } } })
    world:pass(2)
    equal(world.shown[#world.shown].kind, "InfoMessage", "kind")
    equal(world.shown[#world.shown].text, "1 waits\nTypee", "text")
end)

test("an answer that is longer than a screen can be scrolled", function(folder)
    local world, front_end = Check.koreader(folder)
    front_end:send("BookloreSync")
    local messages = {}
    for line = 1, 40 do messages[line] = { level = "info", text = "Book " .. line } end
    Check.answer(world, 1, { messages = messages })
    world:pass(2)
    equal(world.shown[#world.shown].kind, "TextViewer", "kind")
    matches(world.shown[#world.shown].text, "^Book 1\nBook 2\n.*Book 40$", "text")
end)

test("the result of a run at exit is shown at the next start", function(folder)
    local world, front_end = reading(folder)
    front_end:exit()
    Check.answer(world, 1, Check.said("1 reading session sent"))
    Check.start_again(world)
    equal(#world.shown, 1, "messages")
    equal(world.shown[1].text, "1 reading session sent", "text")
    equal(#Check.names(world.root .. "/bookloresync/results"), 0, "results")
    equal(jobs_left(world), 0, "job files")
end)

test("a run that outlives a restart is watched to its end, and is the only one", function(folder)
    local world, front_end = reading(folder)
    front_end:restart()
    front_end = Check.start_again(world)
    equal(world.standby_prevented, 1, "standby")
    front_end:open(Check.book(folder))
    front_end:close()
    equal(Check.starts(world), 1, "starts during the run")
    Check.answer(world, 1, Check.said("1 reading session sent"))
    world:pass(2)
    equal(world.shown[1].text, "1 reading session sent", "text")
    equal(reasons(world), "exit close", "starts after it")
end)

test("a run that ends while KOReader starts again is not taken for one without a result", function(folder)
    local world, front_end = reading(folder)
    front_end:restart()
    local run = world.spawned[1]
    local command_line = world.processes[run.pid]
    Check.answer(world, 1, Check.said("1 reading session sent"))
    world.processes[run.pid] = command_line -- the result is written, the process not yet gone
    Check.start_again(world)
    world.processes[run.pid] = nil
    world:pass(5)
    equal(#world.shown, 1, "messages")
    equal(world.shown[1].text, "1 reading session sent", "text")
end)

test("a result of an unknown version is left where it is and named", function(folder)
    local world = read_and_close(folder)
    Check.answer(world, 1, { version = 2, messages = { { level = "info", text = "from the future" } } })
    world:pass(2)
    equal(#world.shown, 1, "messages")
    matches(world.shown[1].text, world.spawned[1].job.job:gsub("%-", "%%-") .. "%.json has version 2", "message")
    equal(#Check.names(world.root .. "/bookloresync/results"), 1, "results")
end)

test("a broken result is removed and disturbs nobody", function(folder)
    local world = read_and_close(folder)
    Check.write(("%s/bookloresync/results/%s.json"):format(folder, world.spawned[1].job.job), '{"version":1,')
    world:pass(2)
    equal(#Check.names(world.root .. "/bookloresync/results"), 0, "results")
    equal(world.standby_prevented, 0, "standby")
    equal(#world.errors, 0, "errors: " .. table.concat(world.errors, "; "))
end)

test("a result that is still being written is not taken", function(folder)
    local world = read_and_close(folder)
    Check.write(("%s/bookloresync/results/%s.json.new"):format(folder, world.spawned[1].job.job), "{}")
    world:pass(10)
    equal(#Check.names(world.root .. "/bookloresync/results"), 1, "results")
    equal(world.standby_prevented, 1, "standby")
end)

test("what killed workers left is cleared away at the next start", function(folder)
    local world, front_end = reading(folder)
    front_end:exit()
    local job = world.spawned[1].job.job
    world.processes = {}
    Check.write(("%s/bookloresync/results/%s.json.new"):format(folder, job), '{"version":1,')
    equal(table.concat(Check.names(folder .. "/bookloresync/jobs")), job .. ".pid", "job files before")
    Check.start_again(world)
    equal(#Check.names(folder .. "/bookloresync/results"), 0, "results")
    equal(jobs_left(world), 0, "job files")
    equal(#world.shown, 0, "messages")
end)

test("a job whose worker never ran is cleared away at the next start", function(folder)
    local world = Check.koreader(folder)
    Check.write(folder .. "/bookloresync/jobs/1795385639-abcdef.json", "{}")
    Check.start_again(world)
    equal(jobs_left(world), 0, "job files")
end)

-- ------------------------------------------------------------------------------------------------ what can be missing

test("a missing worker is told once, and a tap tells it again", function(folder)
    local world, front_end = read_and_close(folder, function(world)
        os.remove(world.root .. "/bin/booklore-sync-x86_64")
    end)
    front_end:open(Check.book(folder))
    front_end:close()
    equal(#world.shown, 1, "messages")
    matches(world.shown[1].text, "program missing: .*/bin/booklore%-sync%-x86_64$", "message")
    front_end:send("BookloreSync")
    equal(world.shown[#world.shown].kind, "InfoMessage", "after a tap")
    equal(#world.commands, 0, "commands")

end)

test("a shell that cannot be forked is no message in the background, and no run", function(folder)
    local world, front_end = read_and_close(folder, function(world) world.shell_answers = -1 end)
    equal(#world.shown, 0, "messages")
    equal(world.standby_prevented, 0, "standby")
    equal(jobs_left(world), 0, "job files")
    front_end:send("BookloreSync")
    matches(world.shown[#world.shown].text, "no space or memory left", "message after a tap")
end)

test("a worker that cannot be executed is told once", function(folder)
    local world, front_end = read_and_close(folder, function(world) world.shell_answers = 126 * 256 end)
    front_end:open(Check.book(folder))
    front_end:close()
    equal(#world.shown, 1, "messages")
    matches(world.shown[1].text, "program cannot be run: .*/bin/booklore%-sync%-x86_64$", "message")
    equal(world.standby_prevented, 0, "standby")
    equal(jobs_left(world), 0, "job files")
end)

test("an error inside a scheduled task does not reach KOReader", function(folder)
    local world = read_and_close(folder)
    package.loaded["booklore_worker"]._finish = function() error("broken") end
    Check.answer(world, 1)
    world:pass(2)
    equal(#world.errors, 1, "logged errors")
    equal(world.standby_prevented, 0, "standby")
end)

for _, system in ipairs({ "kindle", "pocketbook" }) do
    test("on a " .. system .. " whose system connected by itself a closed book is sent at once", function(folder)
        local function connects_itself(world)
            world.connected, world.system_connected, world.device[system] = false, true, true
        end
        local world = read_and_close(folder, connects_itself)
        equal(reasons(world), "close", "starts")
    end)

    test("on a " .. system .. " without a network a closed book starts nothing", function(folder)
        local function is_alone(world) world.connected, world.device[system] = false, true end
        local world = read_and_close(folder, is_alone)
        world:pass(200)
        equal(Check.starts(world), 0, "starts")
    end)
end

--- The menu: what the worker's model becomes, and what a tap starts. Also the plugin's entry where it cannot work.

local Check = require("check")
local cjson = require("cjson")

local test, equal, matches = Check.test, Check.equal, Check.matches

--- The menu as KOReader would open it, with that model on disk.
local function open_menu(folder, model)
    local world, front_end = Check.koreader(folder)
    if model then Check.write(folder .. "/bookloresync/menu.json", cjson.encode(model)) end
    return front_end.menu_items.bookloresync.sub_item_table_func(), world, front_end
end

local MODEL = { version = 1, title = "BookLore Sync", items = {
    { id = "sync", kind = "action", label = "Jetzt abgleichen", help = "Sendet alles.", enabled = true, verb = "sync" },
    { id = "waiting", kind = "text", label = "1 reading session waits: Moby Dick", enabled = false },
    { id = "later", kind = "action", label = "Check", enabled = false, verb = "selfcheck" },
} }

test("the plugin has one entry among KOReader's tools", function(folder)
    local _, front_end = Check.koreader(folder)
    equal(front_end.menu_items.bookloresync.text, "BookLore Sync", "text")
    equal(front_end.menu_items.bookloresync.sorting_hint, "tools", "place")
end)

test("the entry is there in the book view too", function(folder)
    local _, front_end = Check.koreader(folder)
    front_end.menu_items = {}
    front_end:open(Check.book(folder))
    assert(front_end.menu_items.bookloresync, "no entry")
end)

test("the worker's items are shown in its order, with its texts", function(folder)
    local items = open_menu(folder, MODEL)
    equal(#items, 3, "items")
    equal(items[1].text, "Jetzt abgleichen", "label")
    equal(items[1].help_text, "Sendet alles.", "help")
    equal(items[1].enabled, true, "enabled")
    equal(items[2].text, "1 reading session waits: Moby Dick", "label of a text")
    equal(items[2].enabled, false, "a text can be tapped")
    equal(items[3].enabled, false, "a disabled action can be tapped")
end)

test("a tap on an action starts its verb, and says so at once", function(folder)
    local model = { version = 1, items = { { kind = "action", label = "Self-check", verb = "selfcheck" } } }
    local items, world = open_menu(folder, model)
    items[1].callback()
    equal(world.spawned[1].job.verb, "selfcheck", "verb")
    equal(world.spawned[1].job.reason, "tap", "reason")
    equal(world.shown[1].text, "Self-check…", "message")
end)

test("a tap during a run is done after it", function(folder)
    local items, world = open_menu(folder, MODEL)
    items[1].callback()
    items[3].callback()
    equal(Check.starts(world), 1, "starts during the run")
    Check.answer(world, 1)
    world:pass(2)
    equal(world.spawned[2].job.verb, "selfcheck", "verb after it")
end)

test("without a model there is one entry, which asks for the status", function(folder)
    local items, world = open_menu(folder)
    equal(#items, 1, "items")
    items[1].callback()
    equal(world.spawned[1].job.verb, "status", "verb")
end)

test("a model that changed is shown the next time the menu opens", function(folder)
    local _, _, front_end = open_menu(folder, MODEL)
    local changed = cjson.encode({ version = 1, items = { { kind = "text", label = "Nothing waits" } } })
    Check.write(folder .. "/bookloresync/menu.json", changed)
    equal(front_end.menu_items.bookloresync.sub_item_table_func()[1].text, "Nothing waits", "label")
end)

test("a model of an unknown version is named and not half understood", function(folder)
    local items = open_menu(folder, { version = 2, items = MODEL.items })
    equal(#items, 2, "items")
    matches(items[2].text, "version 2", "text")
end)

local BROKEN = { '{"version":1,"items":', "[]", '"text"', '{"version":1,"items":7}', '{"version":1,"items":[1,{}]}' }

for _, broken in ipairs(BROKEN) do
    test(("a menu still opens when its model is %s"):format(broken), function(folder)
        local _, world, front_end = open_menu(folder)
        Check.write(folder .. "/bookloresync/menu.json", broken)
        assert(type(front_end.menu_items.bookloresync.sub_item_table_func()) == "table", "no menu")
        equal(#world.errors, 0, "errors")
    end)
end

test("a model far larger than a menu is not read", function(folder)
    local item = { kind = "text", label = ("x"):rep(300 * 1024) }
    local items = open_menu(folder, { version = 1, items = { item } })
    equal(#items, 1, "items")
    equal(items[1].text, "Status", "text")
end)

test("an action whose verb is more than a word cannot be tapped", function(folder)
    local item = { kind = "action", label = "Trick", verb = "sync; reboot" }
    local items, world = open_menu(folder, { version = 1, items = { item } })
    equal(items[1].callback, nil, "callback")
    equal(#world.commands, 0, "commands")
end)

test("an item of a kind that this launcher does not know is shown as text", function(folder)
    local items = open_menu(folder, { version = 1, items = { { kind = "slider", label = "Volume", verb = "sync" } } })
    equal(items[1].text, "Volume", "text")
    equal(items[1].enabled, false, "enabled")
end)

test("on Android the plugin only says why it does nothing", function(folder)
    local world, front_end = Check.koreader(folder, function(world) world.device.android = true end)
    front_end.menu_items.bookloresync.callback()
    equal(world.shown[1].kind, "InfoMessage", "kind")
    matches(world.shown[1].text, "Android", "text")
    front_end:open(Check.book(folder))
    front_end:close()
    equal(Check.starts(world), 0, "starts")
    equal(io.open(folder .. "/bookloresync"), nil, "data folder")
end)

for arch, program in pairs({ arm = "armv7", arm64 = "aarch64", x64 = "x86_64" }) do
    test(("on the processor %s the executable for %s is started"):format(arch, program), function(folder)
        local world, front_end = Check.koreader(folder, function(world)
            world.arch = arch
            Check.write(world.root .. "/bin/booklore-sync-" .. program, "#!/bin/sh\n")
        end)
        front_end:send("BookloreSync")
        matches(world.spawned[1].command, "/bin/booklore%-sync%-" .. program .. "' sync ", "command")
    end)
end

test("on a processor without an executable the plugin names the processor", function(folder)
    local world, front_end = Check.koreader(folder, function(world) world.arch = "mips" end)
    front_end.menu_items.bookloresync.callback()
    matches(world.shown[1].text, "mips", "text")
end)

--- What one KOReader process has once: data folder, journal, worker facade, menu, questions and changes, put together.
--
-- Promises: made at the first instance of the plugin and kept while instances come and go. Never handles an event.
-- Called by main.lua. The only module that names KOReader's singletons.

local DataStorage = require("datastorage")
local Device = require("device")
local DocSettings = require("docsettings")
local Event = require("ui/event")
local LuaSettings = require("luasettings")
local NetworkMgr = require("ui/network/manager")
local UIManager = require("ui/uimanager")
local ffiUtil = require("ffi/util")
local lfs = require("libs/libkoreader-lfs")
local logger = require("logger")
local time = require("ui/time")
local util = require("util")
local _ = require("gettext")

local Annotations = require("booklore_annotations")
local Books = require("booklore_books")
local Changes = require("booklore_changes")
local Dialogs = require("booklore_dialogs")
local Journal = require("booklore_journal")
local Json = require("booklore_json")
local Menu = require("booklore_menu")
local Placing = require("booklore_placing")
local Questions = require("booklore_questions")
local Reading = require("booklore_reading")
local Runs = require("booklore_runs")
local Tracking = require("booklore_tracking")
local Worker = require("booklore_worker")

-- jit.arch, not `uname -m`: 64-bit kernels run 32-bit KOReaders. A static executable needs no more than that.
local ARCHITECTURES = { arm = "armv7", arm64 = "aarch64", x64 = "x86_64" }

local START_SETTLES_S = 5 -- the book or the browser should be drawn first

local Process = {}

-- Where the kernel has no clock that runs through sleep, KOReader's answers 0 and logs a complaint each time. Its
-- aliases tell: there they stand for another clock.
local HAS_BOOTTIME = time.boottime ~= nil and time.boottime == time.boottime_or_monotonic

local clock = {
    wall_s = os.time,
    monotonic_ms = function() return time.to_ms(time.monotonic()) end,
    boottime_ms = function() return HAS_BOOTTIME and time.to_ms(time.boottime()) or nil end,
    utc_offset_s = function()
        local sign, hours, minutes = os.date("%z"):match("^([+-])(%d%d)(%d%d)$")
        if not sign then return 0 end
        return (sign == "-" and -60 or 60) * (hours * 60 + minutes)
    end,
}

--- Names this run of the kernel, whose clocks begin at its start.
local function read_boot_id()
    local file = io.open("/proc/sys/kernel/random/boot_id", "rb")
    local line = file and file:read("*l")
    if file then file:close() end
    return line and #line == 36 and line:match("^[0-9a-f-]+$") or nil
end

local ids_made = 0

--- Wall clocks of e-readers start again at 1970, so the time alone would repeat. What is made in one second sorts in
--- the order in which it was made.
local function new_id()
    local source = io.open("/dev/urandom", "rb")
    local bytes = source and source:read(6) or tostring(clock.monotonic_ms())
    if source then source:close() end
    local hex = bytes:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end)
    ids_made = (ids_made + 1) % 0x10000
    return ("%d-%04x%s"):format(math.max(0, clock.wall_s()), ids_made, hex)
end

local function list_folder(folder)
    local names = {}
    if lfs.attributes(folder, "mode") == "directory" then
        for name in lfs.dir(folder) do names[#names + 1] = name end
    end
    table.sort(names)
    return names
end

local function is_file(path)
    return lfs.attributes(path, "mode") == "file"
end

local function data_folder()
    local chosen = os.getenv("BOOKLORESYNC_DATA_DIR")
    if chosen and chosen ~= "" then return chosen end
    local koreader_folder = DataStorage:getFullDataDir() or ffiUtil.realpath(DataStorage:getDataDir())
    return koreader_folder .. "/bookloresync"
end

local function program_path(plugin_path)
    local chosen = os.getenv("BOOKLORESYNC_BIN_DIR")
    if not chosen or chosen == "" then
        -- KOReader names plugins relative to its own folder, which the worker does not run in.
        chosen = (ffiUtil.realpath(plugin_path) or plugin_path) .. "/bin"
    end
    return chosen .. "/booklore-sync-" .. ARCHITECTURES[jit.arch]
end

--- KOReader's own progress sync, which does nothing without an account. Its settings had a place among all others until
--- they got a file of their own (2026-06); with a book open its plugin has them in memory.
local function kosync_sends()
    local disabled = G_reader_settings:readSetting("plugins_disabled")
    if type(disabled) == "table" and disabled.kosync then return false end
    local view = Process.current.view
    local plugin = view and view.ui.kosync
    local settings = plugin and plugin.settings or G_reader_settings:readSetting("kosync")
    local path = DataStorage:getSettingsDir() .. "/kosync.lua"
    if not settings and is_file(path) then settings = LuaSettings:open(path):readSetting("settings") end
    return type(settings) == "table" and settings.auto_sync == true and settings.userkey ~= nil
end

local function job_facts()
    local known, kosync = pcall(kosync_sends)
    local proxy = G_reader_settings:isTrue("http_proxy_enabled") and G_reader_settings:readSetting("http_proxy")
    local device = { { "model", Device.model }, { "id", G_reader_settings:readSetting("device_id") } }
    local view = Process.current.view
    return {
        { "device", Json.object(device) }, { "proxy", proxy or Json.null }, { "kosync", known and kosync },
        { "fraction", view and view.book and Reading.fraction(view.ui) or nil },
    }
end

--- @return string|nil why nothing of this can work here
function Process.unsupported_reason()
    if Device:isAndroid() then return _("BookLore Sync does not run on Android: it forbids programs of this kind.") end
    if ARCHITECTURES[jit.arch] then return nil end
    return ffiUtil.template(_("BookLore Sync has no program for this processor (%1)."), jit.arch)
end

--- Asks KOReader's memory, never the network: a lookup would freeze the page, and a home server needs no Internet.
-- On Kindle and PocketBook the system connects by itself and KOReader hears nothing of it. Its question is there one
-- for the interface's address or for a route, both in the device. Elsewhere it may be a ping.
function Process.connected()
    if NetworkMgr:getConnectionState() == true then return true end
    return (Device:isKindle() or Device:isPocketBook()) and NetworkMgr:isConnected() == true
end

function Process.next_tick(action)
    UIManager:nextTick(action)
end

local function open_book()
    local book_view = Process.current.book_view
    return book_view and book_view.book
end

local function log_error(problem)
    logger.err("BookLore Sync:", problem)
end

--- Whether a question would interrupt nothing: no menu, dialog, keyboard or screensaver above our window, and no finger
--- on a word of the text. A toast goes by itself and gets out of the way.
local function is_free()
    local view = Process.current.view
    if not view or Process.current.asleep or view.ui.highlight and view.ui.highlight.hold_pos then return false end
    for widget in UIManager:topdown_widgets_iter() do
        if not widget.toast then return widget == view.ui end
    end
    return false
end

--- KOReader's memory of what its lists show of a book. Where it has another shape there is nothing to tell.
local function book_list()
    local ok, list = pcall(require, "ui/widget/booklist")
    return ok and list.setBookInfoCacheProperty and list.resetBookInfoCache and list or nil
end

--- @param plugin_path string the plugin's folder
function Process.of(plugin_path)
    if Process.current then return Process.current end
    local folder = data_folder()
    for _, room in ipairs({ "journal", "jobs", "results", "log" }) do util.makePath(folder .. "/" .. room) end

    local journal = Journal:new({
        folder = folder .. "/journal", clock = clock, boot_id = read_boot_id(), new_id = new_id,
        list_folder = list_folder,
        -- With the metadata, because a size that is not on the disk hides the lines that are.
        sync_file = function(file) ffiUtil.fsyncOpenedFile(file, true) end,
        sync_folder = function(path) ffiUtil.fsyncDirectory(path) end,
        on_failure = function(reason)
            local text = ffiUtil.template(_("BookLore Sync cannot record this reading: %1"), tostring(reason))
            Dialogs.show({ { level = "error", text = text } })
        end,
    })
    local program = program_path(plugin_path)
    local runs = Runs:new({
        folder = folder, program = program, clock = clock, exists = is_file, list_folder = list_folder,
        job_facts = job_facts,
    })
    local worker = Worker:new({
        runs = runs, program = program, ui = UIManager, device = Device, clock = clock, new_id = new_id,
        exists = is_file, open_book = open_book, connected = Process.connected, show = Dialogs.show,
        received = function(result, origin)
            Process.current.changes:make(result.changes, origin)
            Process.current.questions:ask(result.questions, origin)
        end,
        ended = function()
            if open_book() then Process.current.book_view:follow_the_switch() end
        end,
        log_error = log_error,
    })
    local function tap(verb, arguments, label)
        if label then Dialogs.show({ { level = "info", text = label .. "…" } }) end
        worker:request("tap", verb, arguments)
    end
    local books = Books:new({
        view = function() return Process.current.view end, doc_settings = DocSettings, book_list = book_list(),
        real_path = ffiUtil.realpath, event = function(...) return Event:new(...) end,
        today = function() return os.date("%Y-%m-%d") end, log_error = log_error,
    })
    local placing = Placing:new({
        redraw = function(ui) UIManager:setDirty(ui.dialog or ui, "ui") end,
        event = function(...) return Event:new(...) end,
        now = function() return os.date("%Y-%m-%d %H:%M:%S") end,
        in_chapter = function(chapter) return ffiUtil.template(_("in %1"), chapter) end, log_error = log_error,
    })
    local changes = Changes:new({
        ui = UIManager, books = books, placing = placing, is_free = is_free,
        is_awake = function() return not Process.current.asleep end,
        report = function(arguments, reason) worker:request(reason, "applied", arguments) end, log_error = log_error,
    })
    local questions = Questions:new({
        ui = UIManager, clock = clock, open_book = open_book, is_free = is_free, choose = Dialogs.choose,
        enter = Dialogs.enter, is_verb = Runs.is_verb,
        send = function(order, reason, question) worker:request(reason, order.verb, order.arguments, question) end,
        change = function(change) changes:make_now(change, { reason = "tap" }) end, log_error = log_error,
    })
    local model = folder .. "/menu.json"
    local menu = Menu:new({
        path = model, open_book = open_book, busy = function() return worker:busy() end,
        is_verb = Runs.is_verb, tap = tap, ask = Dialogs.ask, pick = Dialogs.pick, log_error = log_error,
    })

    -- At this moment KOReader has no window yet that a message could appear on.
    UIManager:nextTick(worker.recover_later)
    -- KOReader announces a network it finds at its start, but too early for a book that it opens right away.
    if journal:adopt_orphans() then worker:request_in(START_SETTLES_S, "start") end
    if not is_file(model) then
        UIManager:scheduleIn(START_SETTLES_S, function() return is_file(model) or worker:introduce() end)
    end
    Process.current = {
        journal = journal, worker = worker, menu = menu, tap = tap, changes = changes, questions = questions,
        annotations = Annotations:new(log_error), placing = placing,
        tracking = Tracking:new(folder .. "/untracked.txt"),
    }
    return Process.current
end

return Process

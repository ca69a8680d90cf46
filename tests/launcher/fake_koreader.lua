--- As much of KOReader as the launcher touches: its singletons, with a clock that stands still until told.
--
-- Promises: faithful where KOReader is treacherous. UIManager:quit empties the task queue; an error in a scheduled task
-- is not caught; allowStandby without preventStandby is an error; asking the network anything but the remembered state
-- is an error; errors in handlers are caught and reported as false; what is no JSON decodes to nil. Dialogs cover what
-- is below them, close themselves for more reasons than a tap, and hear no tap while input is inhibited; a sidecar is
-- a copy until it is flushed. The made-up worker is as treacherous: it removes its job when it has read it. Never
-- waits, never draws.
-- Used by the tests, the bench and the player. Written from KOReader's documented behaviour (v2025.08 to v2026.07).

local cjson = require("cjson")
local ffi = require("ffi")
local lfs = require("lfs")

ffi.cdef([[
int fsync(int fd);
int open(const char *path, int flags, ...);
int close(int fd);
int fileno(void *stream);
char *realpath(const char *path, char *resolved);
]])

local real = { time = os.time, date = os.date, execute = os.execute, open = io.open, getenv = os.getenv, jit = jit }

local Fake = {}
Fake.__index = Fake

--- @param options table
--   root          string, an empty folder for this world
--   plugin        string, folder of the plugin, as KOReader would name it
--   environment   table, what os.getenv answers for BOOKLORESYNC_*
--   device        table, overrides of Device
--   settings      table, G_reader_settings
--   wall_s        number, the wall clock at the beginning
--   boot_id       string, the kernel's name for its run; made up, so that nobody compares clocks with the real one
function Fake:new(options)
    local world = setmetatable({
        root = options.root,
        plugin_path = options.plugin,
        environment = options.environment or {},
        device = options.device or {},
        settings = options.settings or { device_id = "0A1B2C3D" },
        wall_s = options.wall_s or 1795385639,
        monotonic_us = 52000000,
        slept_us = 100000000, -- what the clock that runs through sleep is ahead
        boot_id = options.boot_id or "7d1e5a52-0d9f-4c3c-9b0e-5f7c1a2b3c4d",
        time_zone = "+0100",
        connected = true,
        data_dir = options.data_dir or options.root,
        shown = {}, errors = {}, commands = {}, processes = {}, cpu_cores = {}, actions = {},
        fsyncs = 0, journal_lines = 0, slow_texts = 0,
        inhibited_until_us = 0, book_list = {}, browser_redraws = 0, sidecar_flushes = 0,
        sidecars = {}, next_pid = 4000001, -- above Linux's largest pid, so none of them is real
    }, self)
    world:_take_over_the_system()
    return world
end

-- ------------------------------------------------------------------------------------------------ the clock

--- Lets time pass and runs what is due, in order.
function Fake:pass(seconds)
    local target = self.monotonic_us + math.floor(seconds * 1000000 + 0.5)
    while true do
        local task = self.queue[1]
        if not task or task.due > target then break end
        table.remove(self.queue, 1)
        self:_move_clock_to(math.max(task.due, self.monotonic_us))
        task.action(unpack(task.arguments))
    end
    self:_move_clock_to(target)
end

--- The device sleeps: the wall clock and the one since the boot go on, the monotonic one stands still, nothing runs.
function Fake:sleep(seconds)
    self.wall_s = self.wall_s + seconds
    self.slept_us = self.slept_us + seconds * 1000000
end

function Fake:_move_clock_to(monotonic_us)
    self.wall_s = self.wall_s + (monotonic_us - self.monotonic_us) / 1000000
    self.monotonic_us = monotonic_us
end

-- ------------------------------------------------------------------------------------------------ the process

local OURS = "^booklore_"
local THEIRS = {
    "datastorage", "device", "dispatcher", "docsettings", "ffi/util", "gettext", "libs/libkoreader-lfs", "logger",
    "luasettings", "rapidjson", "ui/event", "ui/network/manager", "ui/time", "ui/uimanager", "ui/widget/booklist",
    "ui/widget/buttondialog", "ui/widget/container/widgetcontainer", "ui/widget/confirmbox", "ui/widget/infomessage",
    "ui/widget/inputdialog", "ui/widget/notification", "ui/widget/spinwidget", "ui/widget/textviewer", "util",
}

--- A new KOReader process: nothing in memory, everything on disk as it was.
function Fake:boot()
    self.queue, self.windows, self.standby_prevented, self.running = {}, {}, 0, true
    jit = setmetatable({ arch = self.arch }, { __index = real.jit })
    for name in pairs(package.loaded) do
        if name:find(OURS) then package.loaded[name] = nil end
    end
    local modules = self:_modules()
    for _, name in ipairs(THEIRS) do package.loaded[name] = modules[name] end
    G_reader_settings = self:_settings()
    if not package.path:find(self.plugin_path, 1, true) then
        package.path = self.plugin_path .. "/?.lua;" .. package.path
    end
    local plugin = dofile(self.plugin_path .. "/main.lua")
    plugin.path = self.plugin_path
    for key, handler in pairs(plugin) do
        if key:sub(1, 2) == "on" and type(handler) == "function" then plugin[key] = self:_sandbox(key, handler) end
    end
    self.plugin = plugin
    return plugin
end

--- A table that can be called, as in KOReader. `watch_handler` may measure: fn(name, call) → what call answers.
function Fake:_sandbox(name, handler)
    local function call(_, ...)
        local ok, answer = pcall(handler, ...)
        if ok then
            if answer then self.errors[#self.errors + 1] = name .. " stopped the event" end
            return answer
        end
        self.errors[#self.errors + 1] = name .. ": " .. tostring(answer)
        return false
    end
    return setmetatable({}, { __call = function(sandbox, ...)
        if not self.watch_handler then return call(sandbox, ...) end
        local arguments = { ... }
        return self.watch_handler(name, function() return call(sandbox, unpack(arguments)) end)
    end })
end

function Fake:_settings()
    local settings = self.settings
    return {
        readSetting = function(_, key) return settings[key] end,
        isTrue = function(_, key) return settings[key] == true end,
    }
end

-- ------------------------------------------------------------------------------------------------ the modules

local function widget_container()
    local Container = {}
    function Container:extend(class)
        setmetatable(class, self)
        self.__index = self
        return class
    end
    function Container:new(object)
        object = self:extend(object)
        if object.init then object:init() end
        return object
    end
    function Container:handleEvent(event)
        for _, child in ipairs(self) do
            if child:handleEvent(event) then return true end
        end
        local handler = self["on" .. event.name]
        return handler and handler(self, unpack(event.arguments))
    end
    return Container
end

local function deaf() return false end

--- A question. `answer(true)` is the reader's OK. KOReader catches no error of what that starts.
function Fake:_confirm_box()
    return { new = function(_, box)
        box.kind, box.handleEvent, box.answer = "ConfirmBox", deaf, function(yes)
            if yes then box.ok_callback() elseif box.cancel_callback then box.cancel_callback() end
        end
        return box
    end }
end

--- A number with buttons. It steps, it stops at its limits, whatever is typed between them is taken as it is, and OK
--- works only for another number than before.
function Fake:_spin_widget()
    return { new = function(_, spin)
        local before = spin.value
        spin.kind, spin.handleEvent = "SpinWidget", deaf
        function spin.step(times)
            spin.value = math.max(spin.value_min, math.min(spin.value_max, spin.value + times * spin.value_step))
        end
        function spin.text() return spin.precision:format(spin.value) end
        function spin.ok()
            if spin.value ~= before then spin.callback(spin) end
        end
        return spin
    end }
end

--- A widget of which only the text matters.
function Fake:_message_class(kind)
    return { new = function(_, message)
        return { kind = kind, text = message.text, toast = kind == "Notification", handleEvent = deaf }
    end }
end

local function tap_button(widget, label)
    for _, row in ipairs(widget.buttons) do
        for _, button in ipairs(row) do
            if button.text == label then return button.callback() end
        end
    end
    error("no button says " .. label)
end

--- Buttons below a text. A tap outside, the Back key and KOReader's Close all close it in the same way. `tap` and
--- `tap_outside` are the reader's finger, which reaches only what is on top and is ignored while input is inhibited.
function Fake:_button_dialog()
    local world = self
    return { new = function(_, dialog)
        dialog.kind, dialog.text = "ButtonDialog", dialog.title
        local function close()
            if dialog.tap_close_callback then dialog.tap_close_callback() end
            package.loaded["ui/uimanager"]:close(dialog)
        end
        function dialog.handleEvent(_, event)
            if event.name == "Close" then close() end
            return event.name == "Close"
        end
        function dialog.tap(label)
            assert(world:top_window() == dialog, "the dialog is covered or gone")
            if world.monotonic_us >= world.inhibited_until_us then tap_button(dialog, label) end
        end
        function dialog.tap_outside()
            assert(world:top_window() == dialog, "the dialog is covered or gone")
            if world.monotonic_us >= world.inhibited_until_us then close() end
        end
        return dialog
    end }
end

--- One line to type into `typed`.
function Fake:_input_dialog()
    local world = self
    return { new = function(_, dialog)
        dialog.kind, dialog.text, dialog.typed, dialog.handleEvent = "InputDialog", dialog.title, "", deaf
        function dialog.getInputText() return dialog.typed end
        function dialog.onShowKeyboard() dialog.has_keyboard = true end
        function dialog.tap(label)
            assert(world:top_window() == dialog, "the dialog is covered or gone")
            tap_button(dialog, label)
        end
        return dialog
    end }
end

--- What is on top, toasts aside.
function Fake:top_window()
    for index = #self.windows, 1, -1 do
        if not self.windows[index].toast then return self.windows[index] end
    end
end

local function deep_copy(value)
    if type(value) ~= "table" then return value end
    local copy = {}
    for key, part in pairs(value) do copy[key] = deep_copy(part) end
    return copy
end

--- Sidecars: `world.sidecars` is what is on the disk, by book. One that cannot be read, `false` there, is a file all
--- the same, and opens as one with nothing in it.
function Fake:_doc_settings()
    local world = self
    local DocSettings = {}
    function DocSettings:hasSidecarFile(file)
        assert(self == DocSettings, "called without its table")
        return world.sidecars[file] ~= nil
    end
    function DocSettings:open(file)
        assert(self == DocSettings, "called without its table")
        local settings = { data = deep_copy(world.sidecars[file]) or {} }
        settings.data.doc_path = file
        function settings:readSetting(key, default)
            if self.data[key] == nil then self.data[key] = default end
            return self.data[key]
        end
        function settings:saveSetting(key, value) self.data[key] = value end
        function settings:delSetting(key) self.data[key] = nil end
        function settings:flush()
            if world.sidecars_read_only then return nil end
            world.sidecar_flushes = world.sidecar_flushes + 1
            world.sidecars[file] = deep_copy(self.data)
            return file .. ".sdr"
        end
        return settings
    end
    return DocSettings
end

function Fake:_book_list()
    local cache = self.book_list
    return {
        setBookInfoCacheProperty = function(file, name, value)
            cache[file] = cache[file] or {}
            cache[file][name], cache[file].been_opened = value, true
        end,
        resetBookInfoCache = function(file) cache[file] = nil end,
    }
end

--- Settings in a file of Lua.
local function lua_settings()
    return { open = function(_, path)
        local ok, data = pcall(dofile, path)
        return { readSetting = function(_, key) return ok and data[key] or nil end }
    end }
end

function Fake:_ui_manager()
    local world = self
    local UIManager = {}
    function UIManager:scheduleIn(seconds, action, ...)
        assert(seconds >= 0, "only positive seconds allowed")
        local task = { due = world.monotonic_us + seconds * 1000000, action = action, arguments = { ... } }
        local position = #world.queue + 1
        while position > 1 and world.queue[position - 1].due > task.due do position = position - 1 end
        table.insert(world.queue, position, task)
    end
    function UIManager:nextTick(action, ...) self:scheduleIn(0, action, ...) end
    function UIManager:tickAfterNext(action, ...)
        self:nextTick(function(...) self:nextTick(action, ...) end, ...)
    end
    function UIManager:unschedule(action)
        for index = #world.queue, 1, -1 do
            if world.queue[index].action == action then table.remove(world.queue, index) end
        end
    end
    function UIManager:show(widget)
        world.shown[#world.shown + 1] = widget
        table.insert(world.windows, widget)
    end
    function UIManager:isWidgetShown(widget)
        for _, window in ipairs(world.windows) do
            if window == widget then return true end
        end
        return false
    end
    function UIManager:topdown_widgets_iter()
        local index = #world.windows + 1
        return function()
            index = index - 1
            return world.windows[index]
        end
    end
    function UIManager:setDirty(window, mode)
        assert(window and mode == "ui", "what is to be drawn, and how?")
        world.repaints = (world.repaints or 0) + 1
    end
    function UIManager:preventStandby() world.standby_prevented = world.standby_prevented + 1 end
    function UIManager:allowStandby()
        assert(world.standby_prevented > 0, "allowing standby that is not prevented")
        world.standby_prevented = world.standby_prevented - 1
    end
    function UIManager:broadcastEvent(event)
        for index = #world.windows, 1, -1 do
            if world.windows[index] then world.windows[index]:handleEvent(event) end
        end
    end
    function UIManager:close(window)
        window:handleEvent({ name = "FlushSettings", arguments = {} })
        window:handleEvent({ name = "CloseWidget", arguments = {} })
        for index = #world.windows, 1, -1 do
            if world.windows[index] == window then table.remove(world.windows, index) end
        end
    end
    function UIManager:quit()
        world.queue, world.windows, world.running = {}, {}, false
    end
    return UIManager
end

function Fake:_device()
    local device = {
        model = self.device.model or "Kobo_nova",
        isAndroid = function() return self.device.android == true end,
        isKindle = function() return self.device.kindle == true end,
        isPocketBook = function() return self.device.pocketbook == true end,
        enableCPUCores = function(_, cores) self.cpu_cores[#self.cpu_cores + 1] = cores end,
        input = { inhibitInputUntil = function(_, set)
            assert(set == true, "KOReader knows how long its screen takes")
            self.inhibited_until_us = self.monotonic_us + 800000
        end },
    }
    return device
end

function Fake:_network()
    local manager = { getConnectionState = function() return self.connected end }
    -- A look at the interface on these; on a desktop it would be a ping, which the launcher must not wait for.
    if self.device.kindle or self.device.pocketbook then
        manager.isConnected = function() return self.system_connected == true end
    end
    return setmetatable(manager, { __index = function(_, name)
        error("the launcher asked the network: " .. name)
    end })
end

function Fake:_ffi_util()
    return {
        realpath = function(path)
            local resolved = ffi.C.realpath(path, nil)
            return resolved ~= nil and ffi.string(resolved) or nil
        end,
        template = function(text, ...)
            local values = { ... }
            return (text:gsub("%%(%d)", function(index) return values[tonumber(index)] end))
        end,
        fsyncOpenedFile = function(file)
            self.fsyncs = self.fsyncs + 1
            file:flush()
            return ffi.C.fsync(ffi.C.fileno(file.real or file)) == 0
        end,
        fsyncDirectory = function(path)
            local folder = ffi.C.open(path, 0)
            local ok = ffi.C.fsync(folder) == 0
            ffi.C.close(folder)
            return ok
        end,
    }
end

function Fake:_util()
    return {
        makePath = function(path)
            for position in (path .. "/"):gmatch("()/") do
                if position > 1 then lfs.mkdir(path:sub(1, position - 1)) end
            end
            return lfs.attributes(path, "mode") == "directory" or nil
        end,
        -- Tests use one kind of bad byte only: one that never occurs in UTF-8.
        fixUtf8 = function(text, replacement)
            self.slow_texts = self.slow_texts + 1
            return (text:gsub("\255", replacement))
        end,
    }
end

--- Where the kernel lacks a clock that runs through sleep, asking for it is a complaint in the log and the answer 0.
function Fake:_time()
    local function monotonic() return self.monotonic_us end
    local function boottime() return self.monotonic_us + self.slept_us end
    local function no_boottime()
        self.errors[#self.errors + 1] = "the launcher asked for a clock that is not there"
        return 0
    end
    return {
        monotonic = monotonic,
        boottime = self.no_boottime and no_boottime or boottime,
        boottime_or_monotonic = self.no_boottime and monotonic or boottime,
        to_ms = function(fts) return math.floor(fts / 1000 + 0.5) end,
    }
end

function Fake:_modules()
    local uimanager = self:_ui_manager()
    local function silent() end
    return {
        ["datastorage"] = {
            getDataDir = function() return self.data_dir end,
            getSettingsDir = function() return self.data_dir .. "/settings" end,
            getFullDataDir = function() return self.data_dir:sub(1, 1) == "/" and self.data_dir or nil end,
        },
        ["device"] = self:_device(),
        ["dispatcher"] = { registerAction = function(_, name, action) self.actions[name] = action end },
        ["docsettings"] = self:_doc_settings(),
        ["ffi/util"] = self:_ffi_util(),
        ["gettext"] = function(text) return text end,
        ["libs/libkoreader-lfs"] = lfs,
        ["logger"] = {
            dbg = silent, info = silent, warn = silent,
            err = function(...) self.errors[#self.errors + 1] = table.concat({ ... }, " ") end,
        },
        ["luasettings"] = lua_settings(),
        ["rapidjson"] = {
            decode = function(text)
                local ok, value = pcall(cjson.decode, text)
                if ok then return value end
                return nil, "The document is not valid."
            end,
            null = cjson.null,
        },
        ["ui/event"] = { new = function(_, name, ...) return { name = name, arguments = { ... } } end },
        ["ui/network/manager"] = self:_network(),
        ["ui/time"] = self:_time(),
        ["ui/uimanager"] = uimanager,
        ["ui/widget/booklist"] = self:_book_list(),
        ["ui/widget/buttondialog"] = self:_button_dialog(),
        ["ui/widget/container/widgetcontainer"] = widget_container(),
        ["ui/widget/confirmbox"] = self:_confirm_box(),
        ["ui/widget/spinwidget"] = self:_spin_widget(),
        ["ui/widget/inputdialog"] = self:_input_dialog(),
        ["ui/widget/infomessage"] = self:_message_class("InfoMessage"),
        ["ui/widget/textviewer"] = self:_message_class("TextViewer"),
        ["ui/widget/notification"] = self:_message_class("Notification"),
        ["util"] = self:_util(),
    }
end

-- ------------------------------------------------------------------------------------------------ the system below

--- Only one world at a time owns Lua's os and io.
function Fake:_take_over_the_system()
    -- The half millisecond makes up for what many small steps lose in rounding.
    os.time = function() return math.floor(self.wall_s + 0.0005) end
    os.date = function(format, ...)
        return format == "%z" and self.time_zone or real.date(format, ...)
    end
    os.getenv = function(name)
        if name:find("^BOOKLORESYNC_") then return self.environment[name] end
        return real.getenv(name)
    end
    os.execute = function(command) return self:_execute(command) end
    io.open = function(path, mode) return self:_open(path, mode) end
end

--- With `real_processes` commands reach the shell; otherwise they are written down and a pid is made up.
function Fake:_execute(command)
    self.commands[#self.commands + 1] = command
    if self.real_processes then return real.execute(command) end
    local pid = command:match("^kill %-%u+ (%d+)$")
    if pid then
        self.processes[tonumber(pid)] = nil
        return 0
    end
    if self.shell_answers then return self.shell_answers end
    local job_path, pid_path = command:match("%-%-job '([^']+)'"), command:match("echo $! >'([^']+)'")
    local job_file = assert(real.open(job_path))
    local job_text = job_file:read("*a")
    local job = cjson.decode(job_text)
    job_file:close()
    os.remove(job_path)
    local journal = {}
    for name in lfs.dir(job_path:match("^(.*)/jobs/") .. "/journal") do
        if name:sub(1, 1) ~= "." then journal[#journal + 1] = name end
    end
    local run = { job = job, job_text = job_text, pid = self.next_pid, journal = journal, command = command }
    self.next_pid = self.next_pid + 1
    self.processes[run.pid] = "booklore-sync\0" .. job.verb .. "\0--job\0" .. job_path
    local pid_file = assert(real.open(pid_path, "w"))
    pid_file:write(run.pid, "\n")
    pid_file:close()
    self.spawned = self.spawned or {}
    table.insert(self.spawned, run)
    return 0
end

--- A file of one line that only this world has.
local function one_line(line)
    if not line then return nil, "No such file or directory" end
    return { read = function() return line end, close = function() return true end }
end

--- A journal file on a disk that can fill up while the file is open.
function Fake:_open(path, mode)
    if path == "/proc/sys/kernel/random/boot_id" then return one_line(self.boot_id) end
    local pid = path:match("^/proc/(%d+)/cmdline$")
    if pid and tonumber(pid) >= 4000001 then
        return one_line(self.processes[tonumber(pid)])
    end
    if not path:find("%.open$") or not mode:find("^[aw]") then return real.open(path, mode) end
    if self.read_only then return nil, path .. ": Read-only file system" end
    local file, problem = real.open(path, mode)
    if not file then return nil, problem end
    local full = real.open("/dev/full", "w")
    local function target() return self.disk_full and full or file end
    return {
        real = file,
        write = function(proxy, ...)
            local ok, write_error = target():write(...)
            self.journal_lines = self.journal_lines + 1
            return ok and proxy, write_error
        end,
        flush = function() return target():flush() end,
        close = function()
            full:close()
            return file:close()
        end,
    }
end

function Fake.release_the_system()
    os.time, os.date, os.execute, os.getenv, io.open = real.time, real.date, real.execute, real.getenv, real.open
    jit = real.jit
end

Fake.real = real

return Fake

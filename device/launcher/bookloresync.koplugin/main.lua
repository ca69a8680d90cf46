--- BookLore Sync in KOReader: writes down what is read, and starts the worker when there is something to send.
--
-- Promises: every handler takes milliseconds, survives its own errors and is silent to the event chain (a handler that
-- returned true would keep the event from the modules behind it). Never touches the network or a book, never waits.
-- KOReader makes one instance for the file browser and one for each opened book, and ends the old one first; what must
-- outlive them is in booklore_process. The newest instance is the process's `view`. One whose book is open has `book`,
-- its path, and is the process's `book_view`; it is `reading` as well while the book is recorded. Orders of events:
-- OPEN is PageUpdate, ReaderReady; CLOSE is CloseDocument, FlushSettings, SaveSettings, CloseWidget, and only then has
-- the sidecar been saved.

local Dispatcher = require("dispatcher")
local WidgetContainer = require("ui/widget/container/widgetcontainer")
local logger = require("logger")
local _ = require("gettext")

local Process = require("booklore_process")
local Reading = require("booklore_reading")

local NETWORK_SETTLES_S = 1 -- an address is there before the first name lookup works
local WAKE_SETTLES_S = 2 -- the same, and the page should be drawn first

local unsupported = Process.unsupported_reason()
if unsupported then return require("booklore_unsupported")(unsupported) end

local BookloreSync = WidgetContainer:extend({ name = "bookloresync", is_doc_only = false, saves_in_tick = 0 })

function BookloreSync:init()
    self.process = Process.of(self.path)
    self.process.view = self
    self.process.worker:stay()
    self:onDispatcherRegisterActions()
    self.ui.menu:registerToMainMenu(self)
    if self.ui.document then self.process.placing:before_reading(self.ui) end
end

function BookloreSync:addToMainMenu(menu_items)
    menu_items.bookloresync = self.process.menu:entry()
end

function BookloreSync:stopPlugin()
    self.process.worker:switch_off()
end

--- Defines a handler that cannot disturb: it swallows its errors and returns nothing.
local function on(event, act)
    BookloreSync["on" .. event] = function(self, ...)
        local ok, problem = pcall(act, self, ...)
        if not ok then logger.err("BookLore Sync:", event, problem) end
    end
end

on("DispatcherRegisterActions", function()
    Dispatcher:registerAction("bookloresync_sync", {
        category = "none", event = "BookloreSync", title = _("Sync with BookLore"), general = true,
    })
end)

on("BookloreSync", function(self)
    self.process.tap("sync", nil, _("Sync with BookLore"))
end)

on("ReaderReady", function(self)
    self.book, self.reading = self.ui.document.file, false
    self.process.book_view = self
    self:follow_the_switch()
    self.process.placing:put_in_order(self.ui, function(mark) self.process.annotations:has_no_place(mark) end)
    self.process.questions:windows_changed()
    -- KOReader closes and opens a book in one go when it has to lay it out anew: nothing new is to be asked then.
    if self.process.reloading ~= self.book then self.process.worker:book_opened() end
    self.process.reloading = nil
end)

--- Records the open book or does not, as the reader wants it by now.
function BookloreSync:follow_the_switch()
    local ui, wanted = self.ui, self.process.tracking:records(self.book)
    if wanted and not self.reading then
        self.process.journal:open(function() return Reading.describe(ui) end)
        self.process.annotations:watch(ui)
    elseif not wanted then
        self.process.journal:stop()
        self.process.annotations:forget()
    end
    self.reading = wanted
end

local function turn(self, page)
    self.process.asleep = false -- not every device says that it has woken up
    if not self.reading or type(page) ~= "number" then return end
    local ui = self.ui
    self.process.journal:turn(page, Reading.pages(ui), function() return Reading.page_place(ui) end)
end

on("PageUpdate", turn)
-- What KOReader sends instead while a book scrolls.
on("PosUpdate", function(self, _, page) turn(self, page) end)

on("FlushSettings", function(self)
    self.process.journal:flush_to_disk()
    self.saves_in_tick = self.saves_in_tick + 1
    Process.next_tick(function() self.saves_in_tick = 0 end)
end)

on("Suspend", function(self)
    self.process.asleep = true
    self.process.worker:put_off_opening()
    if not self.reading then return end
    self.process.annotations:write(self.ui, self.process.journal)
    self.process.journal:suspend(Reading.text_place(self.ui))
end)

on("Resume", function(self)
    self.process.journal:resume()
    self.process.asleep = false
    self.process.questions:woke_up()
    if Process.connected() then self.process.worker:request_in(WAKE_SETTLES_S, "wake") end
end)

on("NetworkConnected", function(self)
    self.process.worker:request_in(NETWORK_SETTLES_S, "network")
end)

on("PreserveCurrentSession", function(self)
    self.closing = "reload"
end)

--- In the file browser nothing follows; with a book open, CloseWidget still has to start the worker.
local function leave(reason)
    return function(self)
        self.closing = reason
        self.process.questions:leave()
        if not self.book then self.process.worker:leave() end
    end
end

on("Exit", leave("exit"))
on("Restart", leave("restart"))

--- Power or storage is about to go: a child with files open would be torn off, or keep the card from unmounting.
local function abandon_ship(reason)
    return function(self)
        self.closing = self.closing or reason
        self.process.worker:stop()
    end
end

on("PowerOff", abandon_ship("power"))
on("Reboot", abandon_ship("power"))
-- Without PowerOff before it this is USB mass storage, or a PocketBook that shuts down. It is also KOReader's "Back"
-- key set to exit, which cannot be told apart; that reading is then sent at the next start.
on("Close", abandon_ship("usb"))

on("CloseDocument", function(self)
    if not self.reading then return end
    self.process.annotations:write(self.ui, self.process.journal)
    local page, pages = Reading.page(self.ui)
    self.process.journal:close(self.closing or "close", page, pages, Reading.full_place(self.ui))
end)

--- The file list keeps Close from the plugins. What still tells that a cable gets the storage: KOReader saves
--- everything and closes the browser, which saves again, in one tick. Whatever else closes it saves once.
local function leave_browser(self)
    if self.saves_in_tick > 1 then self.process.worker:stop() end
end

on("CloseWidget", function(self)
    if self.process.view == self then self.process.view = nil end
    if not self.book then return leave_browser(self) end
    self.process.reloading = self.closing == "reload" and self.book or nil
    self.book, self.process.book_view = nil, nil
    self.process.questions:windows_changed()
    if self.reading then self.process.journal:finish(Reading.snapshot(self.ui)) end
    self.reading = false
    self.process.annotations:forget()
    if self.closing ~= "exit" and self.closing ~= "restart" then
        return self.process.worker:request_after_drawing("close")
    end
    -- KOReader forgets everything scheduled when it ends, so this start cannot wait.
    if Process.connected() then self.process.worker:request("exit") end
    self.process.worker:leave()
end)

return BookloreSync

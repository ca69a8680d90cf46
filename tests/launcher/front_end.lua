--- KOReader's front end, reduced to the order of its events as recorded from the real one.
--
-- Promises: the sidecar is old at CloseDocument and new at CloseWidget; the document is gone after CloseDocument; a
-- page turn is announced twice; a module sits behind the plugin and sees only what the plugin lets through.
-- Used by the tests, the bench and the player. Orders as in KOReader master of August 2026.

local FakeAnnotations = require("fake_annotations")

local FrontEnd = {}
FrontEnd.__index = FrontEnd

--- @param world table a booted fake_koreader
function FrontEnd:new(world)
    return setmetatable({ world = world, heard = {}, menu_items = {} }, self)
end

function FrontEnd:_container()
    return package.loaded["ui/widget/container/widgetcontainer"]
end

function FrontEnd:_ui_manager()
    return package.loaded["ui/uimanager"]
end

local function event(name, ...)
    return { name = name, arguments = { ... } }
end

function FrontEnd:_menu()
    local front_end = self
    return {
        handleEvent = function() return false end,
        registerToMainMenu = function(_, plugin) plugin:addToMainMenu(front_end.menu_items) end,
    }
end

--- The module behind the plugin: remembers which events came through.
function FrontEnd:_witness()
    local heard = self.heard
    return { handleEvent = function(_, incoming)
        heard[#heard + 1] = incoming.name
        return false
    end }
end

function FrontEnd:_show(window)
    table.insert(self.world.windows, window)
    self.window = window
end

-- ------------------------------------------------------------------------------------------------ windows

function FrontEnd:file_manager()
    self.book = nil
    local manager = self:_container():new({ menu = self:_menu(), onFlushSettings = function(ui)
        ui:handleEvent(event("SaveSettings"))
    end })
    manager.file_chooser = { refreshPath = function(chooser)
        assert(chooser == manager.file_chooser, "called without its table")
        self.world.browser_redraws = self.world.browser_redraws + 1
    end }
    -- The file list closes the browser and lets nobody else hear of it.
    manager[1] = { handleEvent = function(_, incoming)
        if incoming.name ~= "Close" then return false end
        self:_leave_file_manager()
        return true
    end }
    self.plugin = self.world.plugin:new({ ui = manager })
    manager[2] = self.plugin
    manager[3] = self:_witness()
    self:_show(manager)
    manager:handleEvent(event("PathChanged"))
    manager:handleEvent(event("Show"))
end

function FrontEnd:_leave_file_manager()
    if self.book or not self.window then return end
    self.window:handleEvent(event("SaveSettings"))
    self:_ui_manager():close(self.window)
    self.window = nil
end

--- KOReader's own modules, which stand before the plugins: they announce where the book opens, keep the place and the
--- progress in memory, and save both at SaveSettings, not earlier. A book whose text flows knows its pages only when it
--- is ready; the progress is not known before that, and nothing is announced if such a book scrolls.
function FrontEnd:_core(ui, book)
    local front_end = self
    local footer = ui.view.footer
    local function place(page)
        if type(page) ~= "number" then return end
        if front_end.pages_known then
            footer.percent_finished = book.fraction and book.fraction(page) or page / book.pages
        end
        if ui.rolling then ui.rolling.xpointer = book.xpointer(page) end
    end
    local act = {
        PageUpdate = place,
        PosUpdate = function(_, page) place(page) end,
        AnnotationsModified = function(news) ui.annotation.modified(news) end,
        ReadSettings = function()
            ui.annotation.read(ui.doc_settings)
            if not ui.rolling then front_end:_announce(ui, book.page) end
        end,
        ReaderReady = function()
            front_end.pages_known = true
            if not ui.rolling then return end
            ui.rolling.xpointer = book.xpointer(book.page)
            if not book.scrolls then front_end:_announce(ui, book.page) end
        end,
        SaveSettings = function()
            ui.doc_settings:saveSetting("annotations", ui.annotation.annotations)
            ui.doc_settings.data.doc_pages = book.pages
            ui.doc_settings.data.percent_finished = footer.percent_finished
            ui.doc_settings.data.last_xpointer = ui.rolling and ui.rolling.xpointer or nil
            ui.doc_settings.data.last_page = not ui.rolling and book.page or nil
        end,
        GotoPage = function(page)
            assert(page >= 1 and page <= book.pages and page % 1 == 0, "no such page")
            front_end:turn(page)
        end,
        GotoXPointer = function(xpointer)
            assert(ui.document:isXPointerInDocument(xpointer), "no such place")
            front_end:turn(ui.document:getPageFromXPointer(xpointer))
            ui.rolling.xpointer = xpointer
        end,
    }
    self.pages_known = not ui.rolling
    return { handleEvent = function(_, incoming)
        if act[incoming.name] then act[incoming.name](unpack(incoming.arguments)) end
        return false
    end }
end

--- The labels of a printed edition, `book.labels` being a list of them by page. As in KOReader it raises for none.
local function page_map(book)
    local map = { asked = 0 }
    function map.wantsPageLabels() return book.labels ~= nil and book.use_labels ~= false end
    function map.getCurrentPageLabel(_, clean)
        map.asked = map.asked + 1
        local label = book.labels[book.page]
        return clean and label:gsub("[Pp][Aa][Gg][Ee]%s*", "") or label, 7, 9
    end
    return map
end

function FrontEnd:_announce(ui, page)
    if self.book.scrolls then
        ui:handleEvent(event("PosUpdate", page * 1000, page))
    else
        ui:handleEvent(event("PageUpdate", page))
    end
end

--- The pages that the reader hid from the flow of the book, `book.hidden` being a set of them.
local function flows(document, book)
    function document.hasHiddenFlows() return book.hidden ~= nil end
    function document.getTotalPagesInFlow()
        local pages = 0
        for page = 1, book.pages do pages = pages + (book.hidden[page] and 0 or 1) end
        return pages
    end
    function document.getNextPage(_, page)
        for following = page + 1, book.pages do
            if not book.hidden[following] then return following end
        end
        return 0
    end
end

--- What KOReader makes of a book without a status, before its modules hear that the book is open.
local function mark_as_begun(settings)
    local summary = settings:readSetting("summary", {})
    local is_known = ({ reading = true, complete = true, abandoned = true })[summary.status or ""]
    if not is_known then summary.status, summary.modified = "reading", os.date("%Y-%m-%d") end
end

--- @param book table {file, props, pages, page, sidecar}; xpointer: fn(page), if the text flows; scrolls: boolean;
--   labels: list by page; fraction: fn(page), if it is not page / pages; hidden: set of pages; words: list by page;
--   chapters: fn(page)
function FrontEnd:open(book)
    self:_leave_file_manager()
    self.book = book
    local world = self.world
    world.sidecars[book.file] = world.sidecars[book.file] or book.sidecar
    local settings = package.loaded.docsettings:open(book.file)
    settings.data.doc_props = book.props or {}
    -- What KOReader shows of a book is less than what it saves: the identifiers are missing.
    local shown = {}
    for name, value in pairs(book.props or {}) do
        if name ~= "identifiers" then shown[name] = value end
    end
    local ui = self:_container():new({
        menu = self:_menu(), doc_props = shown, doc_settings = settings,
        view = { footer = {} }, rolling = book.xpointer and {} or nil, paging = not book.xpointer and {} or nil,
        pagemap = book.xpointer and page_map(book) or nil, -- only where the text flows
    })
    ui.document = {
        file = book.file,
        getPageCount = function() return book.pages end,
        getCurrentPage = function() return book.page end,
    }
    flows(ui.document, book)
    ui.link = { location_stack = {}, addCurrentLocationToStack = function(link)
        table.insert(link.location_stack, book.page)
    end }
    function ui.getCurrentPage() return ui.document:getCurrentPage() end
    function ui.onFlushSettings()
        ui:handleEvent(event("SaveSettings"))
        settings:flush()
    end
    FakeAnnotations.attach(world, ui, book)
    ui[1] = self:_core(ui, book)
    self.plugin = world.plugin:new({ ui = ui })
    ui[2] = self.plugin
    ui[3] = self:_witness()
    self:_show(ui)
    ui:handleEvent(event("DocSettingsLoad"))
    ui:handleEvent(event("ReadSettings"))
    mark_as_begun(settings)
    ui:handleEvent(event("ReaderReady"))
    ui.annotation.when_ready()
    ui:handleEvent(event("Show"))
    world:pass(0)
end

function FrontEnd:turn(page)
    self.book.page = page
    self:_announce(self.window, page)
    self:_announce(self.window, page)
end

function FrontEnd:send(name, ...)
    self:_ui_manager():broadcastEvent(event(name, ...))
end

-- ------------------------------------------------------------------------------------------------ the ways out

--- The moments after which KOReader has not drawn anything yet.
function FrontEnd:close_book()
    local ui = self.window
    ui:handleEvent(event("CloseDocument"))
    ui.document = nil
    self:_ui_manager():close(ui)
    self.window, self.book = nil, nil
end

function FrontEnd:close()
    self:close_book()
    self:file_manager()
    self.world:pass(0)
end

function FrontEnd:switch(book)
    self:close_book()
    self:open(book)
end

function FrontEnd:reload()
    local book = self.book
    self.window:handleEvent(event("PreserveCurrentSession"))
    self:switch(book)
end

function FrontEnd:_end_process(name)
    if self.book then
        self:send(name)
        self.world:pass(0) -- KOReader closes the book one tick later
        self:close_book()
    else
        local window = self.window
        self:_leave_file_manager()
        window:handleEvent(event(name))
    end
    -- A restart says so; an exit is what happens when there is no window left.
    if name == "Exit" then assert(not self.world:top_window(), "a window keeps KOReader from ending") end
    self:_ui_manager():quit()
end

function FrontEnd:exit() self:_end_process("Exit") end
function FrontEnd:restart() self:_end_process("Restart") end

function FrontEnd:_close_all_windows()
    self:send("Close")
    if self.book then self:close_book() end
end

function FrontEnd:_power(name)
    self:send(name)
    self:_close_all_windows()
    self.world:pass(0)
    self:_ui_manager():quit()
end

function FrontEnd:power_off() self:_power("PowerOff") end
function FrontEnd:reboot() self:_power("Reboot") end

function FrontEnd:usb_storage()
    self:send("FlushSettings")
    self:_close_all_windows()
    self:_ui_manager():quit()
end

--- The process vanishes: nothing is told, nothing is flushed, the files are as the kernel has them.
function FrontEnd:crash()
    self:_ui_manager():quit()
    self.window, self.book = nil, nil
end

-- ------------------------------------------------------------------------------------------------ sleep and network

--- @param wifi_managed boolean KOReader itself switches the radio off first (Kobo)
function FrontEnd:suspend(wifi_managed)
    if wifi_managed then self:disconnect() end
    self:send("FlushSettings")
    self:send("Suspend")
end

function FrontEnd:resume()
    self:send("OutOfScreenSaver")
    self:send("Resume")
end

function FrontEnd:connect()
    self:send("NetworkConnecting")
    self.world.connected = true
    self:send("NetworkConnected")
end

function FrontEnd:disconnect()
    self:send("NetworkDisconnecting")
    self.world.connected = false
    self:send("NetworkDisconnected")
end

return FrontEnd

// Asks the loopback server for one task after the other, does it with foliate-js, and posts what came of it.
// A task that throws is answered with its error; the tests judge, this page only reports.

import { read, resolve } from './resolve.js'
import { draw } from './draw.js'

const KINDS = { read, resolve, draw }

const report = async (number, answer) =>
    fetch('/result', { method: 'POST', body: JSON.stringify({ number, ...answer }) })

for (;;) {
    const reply = await fetch('/task')
    if (reply.status === 204) continue
    const task = await reply.json()
    try {
        await report(task.number, { answer: await KINDS[task.kind](task) })
    } catch (error) {
        await report(task.number, { error: `${error}\n${error?.stack ?? ''}` })
    }
}

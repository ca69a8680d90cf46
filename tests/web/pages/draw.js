export const draw = async () => { throw new Error('not there yet') }

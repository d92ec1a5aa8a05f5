//! The buffers that all connections of a thread share, so that an idle one holds none.

use rehearsal_wire::Command;
use std::cell::Cell;

/// The most that is read at once, in bytes.
pub(crate) const SIZE: usize = 64 << 10;

/// A list of commands that has grown beyond this is not kept.
const MOST_COMMANDS: usize = 1024;

thread_local! {
    static SPARE: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
    static COMMANDS: Cell<Vec<Command>> = const { Cell::new(Vec::new()) };
}

/// Lends the read buffer of this thread. A use within a use gets a buffer of its own.
pub(crate) fn lend<R>(work: impl FnOnce(&mut [u8]) -> R) -> R {
    let mut buffer = SPARE.take().unwrap_or_else(|| vec![0; SIZE].into_boxed_slice());
    let result = work(&mut buffer);
    SPARE.set(Some(buffer));
    result
}

/// Lends an empty list of commands. A use within a use gets a list of its own.
pub(crate) fn lend_commands<R>(work: impl FnOnce(&mut Vec<Command>) -> R) -> R {
    let mut commands = COMMANDS.take();
    let result = work(&mut commands);
    commands.clear();
    if commands.capacity() <= MOST_COMMANDS {
        COMMANDS.set(commands);
    }
    result
}

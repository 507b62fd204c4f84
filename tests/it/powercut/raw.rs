//! The pointers that SQLite hands to a VFS, turned into references and values.
//!
//! All unsafe code of the harness is in here. Every function is only for a callback of `vfs` to apply to
//! its own arguments, and relies on what SQLite promises about those: pointers are valid for the call,
//! buffers are as long as said, and a file is one that `xOpen` was given room for.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::{Arc, Mutex};

use rusqlite::ffi::{SQLITE_OK, sqlite3_file, sqlite3_io_methods, sqlite3_vfs};

use super::disk::{Disk, Handle};

/// What is behind a `sqlite3_file` of ours: SQLite allocates it and looks at `base` alone.
#[repr(C)]
pub(super) struct OpenFile {
    base: sqlite3_file,
    state: *mut State,
}

/// Which file on which disk.
pub(super) struct State {
    pub(super) disk: Arc<Mutex<Disk>>,
    pub(super) handle: Handle,
}

/// Registers `vfs`, for as long as the process lives, above the default one.
#[expect(unsafe_code, reason = "calls SQLite, which takes a VFS by pointer")]
pub(super) fn register(mut vfs: sqlite3_vfs) {
    // SAFETY: a null name asks for the default VFS, which is never removed; and the VFS given to SQLite
    // is leaked, so that it lives as long as SQLite may use it.
    let registered = unsafe {
        let default = rusqlite::ffi::sqlite3_vfs_find(std::ptr::null());
        vfs.pAppData = default.cast();
        rusqlite::ffi::sqlite3_vfs_register(Box::leak(Box::new(vfs)), 0)
    };
    assert_eq!(registered, SQLITE_OK, "SQLite takes another VFS");
}

/// Marks `file` as not open, so that SQLite does not close it.
#[expect(unsafe_code, reason = "writes into the room SQLite made for the file")]
pub(super) fn not_open(file: *mut sqlite3_file) {
    // SAFETY: `xOpen` is given room for an `OpenFile`, of which this is the first field.
    unsafe { (*file).pMethods = std::ptr::null() };
}

/// Makes `file` stand for `state`.
#[expect(unsafe_code, reason = "writes into the room SQLite made for the file")]
pub(super) fn opened(file: *mut sqlite3_file, methods: &'static sqlite3_io_methods, state: State) {
    let state = Box::into_raw(Box::new(state));
    // SAFETY: `xOpen` is given room for an `OpenFile`, aligned for any type, and nobody reads it before
    // `xOpen` returns.
    unsafe { file.cast::<OpenFile>().write(OpenFile { base: sqlite3_file { pMethods: methods }, state }) };
}

/// What `file` stands for.
#[expect(unsafe_code, reason = "follows the pointer that `opened` put into the file")]
pub(super) fn state<'a>(file: *mut sqlite3_file) -> &'a State {
    // SAFETY: SQLite calls methods of a file only between a successful `xOpen` and `xClose`, so `opened`
    // wrote it and `closed` has not taken it.
    unsafe { &*(*file.cast::<OpenFile>()).state }
}

/// Takes back what `file` stands for.
#[expect(unsafe_code, reason = "ends the life that `opened` began")]
pub(super) fn closed(file: *mut sqlite3_file) -> State {
    // SAFETY: `xClose` is called once for a file that was opened, and nothing else after it.
    unsafe { *Box::from_raw((*file.cast::<OpenFile>()).state) }
}

/// The text at `text`; none for a null pointer and for what is not UTF-8.
#[expect(unsafe_code, reason = "reads a C string")]
pub(super) fn text<'a>(text: *const c_char) -> Option<&'a str> {
    if text.is_null() {
        return None;
    }
    // SAFETY: SQLite ends its names with a NUL and keeps them during the call.
    unsafe { CStr::from_ptr(text) }.to_str().ok()
}

/// Puts `value` where SQLite wants a result, if it wants it.
#[expect(unsafe_code, reason = "writes a result to where SQLite wants it")]
pub(super) fn put<T>(result: *mut T, value: T) {
    if !result.is_null() {
        // SAFETY: a result that is not null points to room for one.
        unsafe { result.write(value) };
    }
}

/// The `length` bytes that SQLite writes.
#[expect(unsafe_code, reason = "reads SQLite's buffer")]
pub(super) fn bytes<'a>(buffer: *const c_void, length: c_int) -> &'a [u8] {
    // SAFETY: the buffer has that length and does not change during the call.
    unsafe { std::slice::from_raw_parts(buffer.cast(), usize::try_from(length).unwrap_or(0)) }
}

/// The `length` bytes that SQLite wants filled.
#[expect(unsafe_code, reason = "writes SQLite's buffer")]
pub(super) fn buffer<'a, T>(buffer: *mut T, length: c_int) -> &'a mut [u8] {
    let length = usize::try_from(length).unwrap_or(0);
    // SAFETY: the buffer has that length, and it is ours during the call. Zeroed first, since it may
    // never have been written to.
    unsafe {
        std::ptr::write_bytes(buffer.cast::<u8>(), 0, length);
        std::slice::from_raw_parts_mut(buffer.cast(), length)
    }
}

/// The default VFS below ours, for what has nothing to do with a disk.
#[expect(unsafe_code, reason = "follows the pointers of a registered VFS")]
pub(super) fn below<T>(vfs: *mut sqlite3_vfs, call: impl FnOnce(&sqlite3_vfs, *mut sqlite3_vfs) -> T) -> T {
    // SAFETY: SQLite hands a callback the VFS that `register` registered, which points to the default.
    let default: *mut sqlite3_vfs = unsafe { (*vfs).pAppData }.cast();
    // SAFETY: the default VFS is static.
    call(unsafe { &*default }, default)
}

/// Fills `buffer` with the randomness of the VFS below.
#[expect(unsafe_code, reason = "calls a C function")]
pub(super) fn randomness(vfs: *mut sqlite3_vfs, length: c_int, buffer: *mut c_char) -> c_int {
    below(vfs, |default, pointer| {
        let call = default.xRandomness.expect("the default VFS has it");
        // SAFETY: the arguments are those SQLite gave.
        unsafe { call(pointer, length, buffer) }
    })
}

/// Sleeps as the VFS below does.
#[expect(unsafe_code, reason = "calls a C function")]
pub(super) fn sleep(vfs: *mut sqlite3_vfs, microseconds: c_int) -> c_int {
    below(vfs, |default, pointer| {
        let call = default.xSleep.expect("the default VFS has it");
        // SAFETY: it takes any number.
        unsafe { call(pointer, microseconds) }
    })
}

/// Tells the time as the VFS below does.
#[expect(unsafe_code, reason = "calls a C function")]
pub(super) fn current_time(vfs: *mut sqlite3_vfs, days: *mut f64) -> c_int {
    below(vfs, |default, pointer| {
        let call = default.xCurrentTime.expect("the default VFS has it");
        // SAFETY: the arguments are those SQLite gave.
        unsafe { call(pointer, days) }
    })
}

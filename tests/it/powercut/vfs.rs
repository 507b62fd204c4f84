//! The VFS: SQLite's calls, turned into calls of the disk.
//!
//! There is one VFS for all disks; a path says which disk is meant (`/powercut/7/state.db`). A disk has a
//! new path after each cut, so that a connection from before can do nothing to it.

use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::sync::{Arc, Mutex, Once, Weak};

use rusqlite::ffi::{self, sqlite3_file, sqlite3_io_methods, sqlite3_vfs};

use super::disk::{Disk, Failure, Handle, Opening};
use super::locks::{Extend, Level, Mode};
use super::raw::{self, OpenFile, State};

/// The name under which SQLite knows it.
pub(super) const NAME: &CStr = c"powercut";

const ROOT: &str = "/powercut";

/// How long a path may be; SQLite allocates by it.
const PATH_MAX: c_int = 512;

/// The disks that there are, by the number in their paths.
static DISKS: Mutex<BTreeMap<u64, Weak<Mutex<Disk>>>> = Mutex::new(BTreeMap::new());

/// Makes `disk` reachable for as long as somebody keeps it, and gives the number in its paths.
pub(super) fn mount(disk: &Arc<Mutex<Disk>>) -> u64 {
    static REGISTERED: Once = Once::new();
    static LAST: AtomicU64 = AtomicU64::new(0);
    REGISTERED.call_once(|| raw::register(vfs()));
    let serial = LAST.fetch_add(1, Ordering::Relaxed) + 1;
    let mut disks = DISKS.lock().expect("nobody panics with the disks");
    disks.retain(|_, disk| disk.strong_count() > 0);
    disks.insert(serial, Arc::downgrade(disk));
    serial
}

/// The path of a file on the disk with that number.
pub(super) fn path(serial: u64, name: &str) -> PathBuf {
    PathBuf::from(format!("{ROOT}/{serial}/{name}"))
}

/// Finds the disk that a path is on, and the name it has there.
fn find(path: &str) -> Option<(Arc<Mutex<Disk>>, &str)> {
    let (serial, name) = path.strip_prefix(ROOT)?.strip_prefix('/')?.split_once('/')?;
    let disks = DISKS.lock().expect("nobody panics with the disks");
    Some((disks.get(&serial.parse().ok()?)?.upgrade()?, name))
}

fn vfs() -> sqlite3_vfs {
    sqlite3_vfs {
        iVersion: 1,
        szOsFile: size_of::<OpenFile>().try_into().expect("a file is small"),
        mxPathname: PATH_MAX,
        pNext: std::ptr::null_mut(),
        zName: NAME.as_ptr(),
        pAppData: std::ptr::null_mut(),
        xOpen: Some(open),
        xDelete: Some(delete),
        xAccess: Some(access),
        xFullPathname: Some(full_pathname),
        xDlOpen: None,
        xDlError: None,
        xDlSym: None,
        xDlClose: None,
        xRandomness: Some(randomness),
        xSleep: Some(sleep),
        xCurrentTime: Some(current_time),
        xGetLastError: None,
        xCurrentTimeInt64: None,
        xSetSystemCall: None,
        xGetSystemCall: None,
        xNextSystemCall: None,
    }
}

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// The code by which SQLite knows a failure.
fn code(result: Result<(), Failure>) -> c_int {
    match result {
        Ok(()) => ffi::SQLITE_OK,
        Err(Failure::Off) => ffi::SQLITE_IOERR,
        Err(Failure::Full) => ffi::SQLITE_FULL,
        Err(Failure::Write) => ffi::SQLITE_IOERR_WRITE,
        Err(Failure::Sync) => ffi::SQLITE_IOERR_FSYNC,
        Err(Failure::Missing) => ffi::SQLITE_IOERR_DELETE_NOENT,
        Err(Failure::Short) => ffi::SQLITE_IOERR_SHORT_READ,
        Err(Failure::Busy) => ffi::SQLITE_BUSY,
    }
}

/// Lets `act` work on an open file.
fn on(file: *mut sqlite3_file, act: impl FnOnce(&mut Disk, Handle) -> Result<(), Failure>) -> c_int {
    let state = raw::state(file);
    let mut disk = state.disk.lock().expect("nobody panics with the disk");
    code(act(&mut disk, state.handle))
}

/// Lets `act` work on the disk that has the file at `path`.
fn at(path: *const c_char, act: impl FnOnce(&mut Disk, &str) -> Result<(), Failure>) -> c_int {
    match raw::text(path).and_then(find) {
        Some((disk, name)) => code(act(&mut disk.lock().expect("nobody panics with the disk"), name)),
        None => ffi::SQLITE_IOERR,
    }
}

fn index(number: impl TryInto<usize>) -> usize {
    number.try_into().unwrap_or(0)
}

extern "C" fn open(
    _: *mut sqlite3_vfs,
    path: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    flags_out: *mut c_int,
) -> c_int {
    raw::not_open(file);
    let (disk, name) = match raw::text(path) {
        // A temporary file, which is nobody else's and lost with its connection.
        None => (Arc::default(), None),
        Some(path) => match find(path) {
            Some((disk, name)) => (disk, Some(name)),
            None => return ffi::SQLITE_CANTOPEN,
        },
    };
    let journals = ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_SUPER_JOURNAL | ffi::SQLITE_OPEN_WAL;
    let opening =
        Opening { name, create: flags & ffi::SQLITE_OPEN_CREATE != 0, journal: flags & journals != 0 };
    let opened = disk.lock().expect("nobody panics with the disk").open(&opening);
    match opened {
        Ok(handle) => {
            raw::opened(file, &METHODS, State { disk, handle });
            raw::put(flags_out, flags);
            ffi::SQLITE_OK
        }
        Err(_) => ffi::SQLITE_CANTOPEN,
    }
}

extern "C" fn delete(_: *mut sqlite3_vfs, path: *const c_char, sync_directory: c_int) -> c_int {
    at(path, |disk, name| disk.delete(name, sync_directory != 0))
}

extern "C" fn access(_: *mut sqlite3_vfs, path: *const c_char, _: c_int, result: *mut c_int) -> c_int {
    at(path, |disk, name| {
        raw::put(result, c_int::from(disk.exists(name)?));
        Ok(())
    })
}

extern "C" fn full_pathname(
    _: *mut sqlite3_vfs,
    path: *const c_char,
    length: c_int,
    full: *mut c_char,
) -> c_int {
    let Some(path) = raw::text(path) else { return ffi::SQLITE_CANTOPEN };
    let full = raw::buffer(full, length);
    // The buffer is zeros, so that what is shorter ends with one.
    match full.get_mut(..path.len()) {
        Some(room) if index(length) > path.len() => {
            room.copy_from_slice(path.as_bytes());
            ffi::SQLITE_OK
        }
        _ => ffi::SQLITE_CANTOPEN,
    }
}

extern "C" fn randomness(vfs: *mut sqlite3_vfs, length: c_int, buffer: *mut c_char) -> c_int {
    raw::randomness(vfs, length, buffer)
}

extern "C" fn sleep(vfs: *mut sqlite3_vfs, microseconds: c_int) -> c_int {
    raw::sleep(vfs, microseconds)
}

extern "C" fn current_time(vfs: *mut sqlite3_vfs, days: *mut f64) -> c_int {
    raw::current_time(vfs, days)
}

extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    let state = raw::closed(file);
    state.disk.lock().expect("nobody panics with the disk").close(state.handle);
    ffi::SQLITE_OK
}

extern "C" fn read(file: *mut sqlite3_file, buffer: *mut c_void, length: c_int, offset: i64) -> c_int {
    let buffer = raw::buffer(buffer, length);
    on(file, |disk, handle| {
        let there = disk.file(handle)?.read(index(offset), buffer);
        if there < buffer.len() { Err(Failure::Short) } else { Ok(()) }
    })
}

extern "C" fn write(file: *mut sqlite3_file, bytes: *const c_void, length: c_int, offset: i64) -> c_int {
    on(file, |disk, handle| disk.write(handle, index(offset), raw::bytes(bytes, length)))
}

extern "C" fn truncate(file: *mut sqlite3_file, size: i64) -> c_int {
    on(file, |disk, handle| disk.resize(handle, index(size)))
}

extern "C" fn sync(file: *mut sqlite3_file, _: c_int) -> c_int {
    on(file, Disk::sync)
}

extern "C" fn file_size(file: *mut sqlite3_file, size: *mut i64) -> c_int {
    on(file, |disk, handle| {
        raw::put(size, i64::try_from(disk.file(handle)?.size()).expect("memory is smaller"));
        Ok(())
    })
}

fn level(number: c_int) -> Level {
    match number {
        ffi::SQLITE_LOCK_NONE => Level::None,
        ffi::SQLITE_LOCK_SHARED => Level::Shared,
        ffi::SQLITE_LOCK_RESERVED => Level::Reserved,
        ffi::SQLITE_LOCK_PENDING => Level::Pending,
        _ => Level::Exclusive,
    }
}

extern "C" fn lock(file: *mut sqlite3_file, wanted: c_int) -> c_int {
    on(file, |disk, handle| Ok(disk.file(handle)?.locks.raise(handle.id, level(wanted))?))
}

extern "C" fn unlock(file: *mut sqlite3_file, wanted: c_int) -> c_int {
    on(file, |disk, handle| {
        disk.file(handle)?.locks.lower(handle.id, level(wanted));
        Ok(())
    })
}

extern "C" fn check_reserved_lock(file: *mut sqlite3_file, result: *mut c_int) -> c_int {
    on(file, |disk, handle| {
        raw::put(result, c_int::from(disk.file(handle)?.locks.reserved()));
        Ok(())
    })
}

extern "C" fn file_control(_: *mut sqlite3_file, _: c_int, _: *mut c_void) -> c_int {
    ffi::SQLITE_NOTFOUND
}

/// What SQLite's own VFS says.
extern "C" fn sector_size(_: *mut sqlite3_file) -> c_int {
    4096
}

/// What SQLite's own VFS says: a torn write harms nothing beside itself.
extern "C" fn device_characteristics(_: *mut sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

extern "C" fn shm_map(
    file: *mut sqlite3_file,
    region: c_int,
    bytes: c_int,
    extend: c_int,
    result: *mut *mut c_void,
) -> c_int {
    on(file, |disk, handle| {
        let extend = if extend == 0 { Extend::No } else { Extend::Yes };
        let memory = &mut disk.file(handle)?.shared_memory;
        let address = memory.map(handle.id, index(region), index(bytes), extend);
        raw::put(result, address.map_or(std::ptr::null_mut(), <*mut u64>::cast));
        Ok(())
    })
}

extern "C" fn shm_lock(file: *mut sqlite3_file, first: c_int, count: c_int, flags: c_int) -> c_int {
    let slots = (first..first + count).fold(0, |mask, slot| mask | (1 << slot));
    on(file, |disk, handle| {
        let memory = &mut disk.file(handle)?.shared_memory;
        if flags & ffi::SQLITE_SHM_UNLOCK != 0 {
            memory.unlock(handle.id, slots);
            return Ok(());
        }
        let mode = if flags & ffi::SQLITE_SHM_SHARED == 0 { Mode::Exclusive } else { Mode::Shared };
        Ok(memory.lock(handle.id, slots, mode)?)
    })
}

extern "C" fn shm_barrier(_: *mut sqlite3_file) {
    fence(Ordering::SeqCst);
}

extern "C" fn shm_unmap(file: *mut sqlite3_file, _: c_int) -> c_int {
    let state = raw::state(file);
    state.disk.lock().expect("nobody panics with the disk").unmap(state.handle);
    ffi::SQLITE_OK
}

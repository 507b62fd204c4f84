//! The environment of a process: exactly what its launch says.
//!
//! Values that are passed by name never touch the disk. The shim has inherited the daemon's own
//! environment and takes them from there, or from the file that the launch names.
#![expect(clippy::disallowed_methods, reason = "the shim hands on values it was started with")]

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::engine::ports::Launch;

/// How the names of the variables begin that Converge sets.
const OWN_PREFIX: &[u8] = b"CONVERGE_";

/// All variables the process sees but those of its login.
pub(super) fn of(launch: &mut Launch) -> Result<BTreeMap<OsString, OsString>, String> {
    let mut variables: BTreeMap<OsString, OsString> = std::mem::take(&mut launch.env)
        .into_iter()
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    let file = match &launch.env_file {
        Some(path) => {
            let text = fs::read(path).map_err(|error| format!("env file `{}`: {error}", path.display()))?;
            parse(&text)
        }
        None => BTreeMap::new(),
    };
    put(&mut variables, file.clone());
    for name in &launch.pass {
        let name = OsStr::new(name);
        if name.as_bytes().starts_with(OWN_PREFIX) && variables.contains_key(name) {
            continue;
        }
        if let Some(value) = std::env::var_os(name).filter(|_| !file.contains_key(name)) {
            variables.insert(name.to_owned(), value);
        }
    }
    for name in &launch.strip {
        variables.remove(OsStr::new(name));
    }
    Ok(variables)
}

/// Adds variables in place of those of the same names.
pub(super) fn put(variables: &mut BTreeMap<OsString, OsString>, more: BTreeMap<OsString, OsString>) {
    for (name, value) in more {
        // What Converge itself says, the mark above all, is for nobody else to say.
        if !(name.as_bytes().starts_with(OWN_PREFIX) && variables.contains_key(&name)) {
            variables.insert(name, value);
        }
    }
}

/// Reads lines of `NAME=value`; a pair of quotes around a value and a leading `export` are taken off.
pub(super) fn parse(text: &[u8]) -> BTreeMap<OsString, OsString> {
    text.split(|byte| *byte == b'\n').filter_map(entry).collect()
}

fn entry(line: &[u8]) -> Option<(OsString, OsString)> {
    let line = line.trim_ascii();
    let line = line.strip_prefix(b"export ").unwrap_or(line);
    let middle = line.iter().position(|byte| *byte == b'=')?;
    let (name, value) = (line[..middle].trim_ascii(), line[middle + 1..].trim_ascii());
    if name.is_empty() || name.starts_with(b"#") {
        return None;
    }
    let value = match value {
        [b'"', inner @ .., b'"'] | [b'\'', inner @ .., b'\''] => inner,
        plain => plain,
    };
    Some((OsString::from_vec(name.to_vec()), OsString::from_vec(value.to_vec())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Option<(&str, &str)>) {
        let expected = expected.map(|(name, value)| (name.into(), value.into()));
        assert_eq!(entry(line.as_bytes()), expected, "{line}");
    }

    #[test]
    fn a_line_of_an_env_file_is_a_name_and_a_value() {
        check("KEY=value", Some(("KEY", "value")));
        check("  export KEY = \"a b\" \r", Some(("KEY", "a b")));
        check("KEY=a=b'c", Some(("KEY", "a=b'c")));
        check("KEY=", Some(("KEY", "")));
        check("# KEY=value", None);
        check("KEY", None);
        check("=value", None);
    }
}

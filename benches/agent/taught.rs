//! Agents of these benches: this very program, with a manifest that says so.

use std::fs;
use std::io;

use crate::home::Home;

/// A home that knows an agent of this name, which is this program with these arguments and talks as Claude does.
pub(crate) fn taught(lanes: u32, name: &str, arguments: &[&str]) -> io::Result<Home> {
    let mut home = Home::new(lanes)?;
    let own = std::env::current_exe()?;
    let manifest = format!(
        r#"name = "{name}"
seen = "any"
programs = ["{}"]
prompt = "stdin"
arguments = {arguments:?}
[permissions]
read-only = []
edit = []
[output]
form = "lines"
progress = ['"type":']
[[output.event]]
when = {{ type = "result" }}
session = "session_id"
result = "result"
"#,
        own.display()
    );
    let folder = home.paths().home().join("agents");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(format!("{name}.toml")), manifest)?;
    home.start()?;
    Ok(home)
}

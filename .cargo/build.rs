//! The build script: how the program is linked on Linux.
//!
//! A shim starts beside every process, so what the loader does at each start counts. The program is not
//! position independent, which leaves tens of thousands of addresses to be fixed at build time instead,
//! and has the unwinder in it, which spares a library. It is no `rustflags`, because those reach
//! procedural macros too, and a library must be position independent.
#![expect(clippy::disallowed_methods, reason = "a build script is told by the environment")]

fn main() {
    println!("cargo::rerun-if-changed=.cargo/build.rs");
    let target = |what: &str| std::env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default();
    if target("OS") == "linux" && target("ENV") == "gnu" {
        println!("cargo::rustc-link-arg-bins=-no-pie");
        println!("cargo::rustc-link-lib=static:-bundle=gcc_eh");
    }
}

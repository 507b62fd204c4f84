//! Converge: durable loops for coding agents and the people behind them.
//!
//! A *job* runs an agent or a command again and again. After each *run* the daemon, and never the program that did
//! the work, looks at the job's goal and gives a *verdict*: continue, done, or stop. This page is the map.
//!
//! # The view
//!
//! > The core decides. The engine commits, then acts. The edges translate.
//!
//! ```text
//!       command line ──socket──>  MCP                  translate and render, know nothing else
//!       agents ──proxy──socket──┘  |
//!              registry of commands                    one definition of each verb, for every surface
//!                        |
//!      Input ──> engine thread ──> Action              owns the write connection; one transaction a batch
//!                |          \
//!          core (pure)     store (Tx)                  decide and evolve; SQL written once
//!                           |
//!      processes · work · clock: the ports             real in the daemon, scripted in the simulator
//! ```
//!
//! # Where to find what
//!
//! | module | is |
//! |---|---|
//! | [`core`] | what a loop is and what happens next: [`core::job`], [`core::task`], [`core::condition`] |
//! | [`agent`] | how each agent CLI is driven and understood, as data: [`agent::manifest`], [`agent::interpret`] |
//! | [`store`] | rows in and out; [`store::tx`] is the port to a database |
//! | [`engine`] | batches of inputs into transactions, then actions; [`engine::ports`] is its side of the world |
//! | [`process`] | the shim that runs beside every process, and the supervisor that starts and finds shims |
//! | [`programs`] | where the program of an agent is, and of which version |
//! | [`command`] | the verbs, one file each, and how they read and show |
//! | [`words`] | what is read about each verb, from `tools/*.md` |
//! | [`client`] | reaching the daemon and starting it; [`client::proxy`] is what agents start |
//! | [`surface`] | [`surface::mcp`] on the socket, and the command line, which is a client of it |
//! | [`daemon`] | all of it wired together |
//! | [`paths`], [`config`] | where things lie, and the few settings |
//!
//! Who may import whom is a table in `tests/it/tidy.rs`, which fails when it is broken.
//!
//! # What always holds
//!
//! - A reply means stored: it is sent after the commit, and never before.
//! - What is to be done follows from rows that are committed, so a restart asks again and loses nothing.
//! - A job has at most one run under way, and at most one run a slot; unique indexes say so too.
//! - A report counts only for the newest claim of its task: that is the fence, in [`core::task::decide`].
//! - An attempt under way follows the revision it was claimed with, but for its bounds: those are always the
//!   newest revision's.
//! - A process runs only under a shim that holds the lock of its run directory; on one host the lock
//!   decides who is alive, never a clock.
//! - Only a condition that is known to hold ends a loop; success is looked at before limits.
//! - The calls of one connection see each other's writes in the order in which they were sent.
//! - What a model is answered has fewer than 10,000 characters, and what others wrote is marked in it.
//! - What an agent says of its own work ends no loop: checks do. Where somebody asks for a word of it all the same,
//!   the word counts in its answer alone, and not in what else it writes.
//! - A prompt stands in no argument, no variable and no file that others read.
//! - Two agents that may write never work in one working tree at once.
//! - A used-up quota is nobody's failure: it is waited for, is charged to no task, and holds every job of its account.
//! - Every list, queue, depth, output and retry has a bound.
//! - Nothing in [`core`] or [`agent`] reads a clock, a file, the environment or a random source.
//!
//! # Words
//!
//! | word | is |
//! |---|---|
//! | job | a loop: what, when, until and how; its definition never changes, an update makes a new revision |
//! | task | one unit of work; what is claimed and executed |
//! | run | a task without a parent: one firing of a job |
//! | run zero | the checks alone, before the first run |
//! | slot | the instant a scheduled run stands for |
//! | attempt | one process execution of a task |
//! | claim | the number under which a task is executed, and which its reports must name |
//! | goal | named criteria, each a condition; all of them met is done |
//! | need, fact | what a condition asks of the world, and the answer |
//! | verdict | continue, done or stop, with a reason from a closed set and the evidence |
//! | not yet | a run that did its work and left its goal unmet |
//! | lane | the right of a run to be under way |
//! | agent | a program that works by asking a model, such as `claude`; a manifest says how it is driven |
//! | assignment | what a job asks of agents: which, what, and how they go about it |
//! | reading | what the output of an agent's attempt says about it |
//! | evidence | what of an attempt its output conditions and its checks look at |
//! | tree | a repository, or a folder in none, that one run at a time may change |
//! | conversation | what an agent keeps between runs, and can go on with; `--session` chooses |
//! | course | how a task of agents goes on from attempt to attempt |
//! | purse, gate | an account of an agent, and until when it may do nothing |
//! | reader | who reads a reply: a person through a program of ours, or a model |
//! | overlay | a home for one process: links to its usual one, and one document of its own |
//! | fence | what marks text that programs wrote, for a model |
//! | shim | the small process that owns the tree of one execution |

pub mod agent;
pub mod client;
pub mod command;
pub mod config;
pub mod core;
pub mod daemon;
pub mod engine;
pub mod paths;
pub mod process;
pub mod programs;
pub mod store;
pub mod surface;
pub mod words;

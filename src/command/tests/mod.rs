//! What a model is answered, through `dispatch` in a house with an engine and scripted processes.

mod agent_runs;
mod agents;
mod fences;
mod house;
mod leave;
mod mistakes;
mod replays;
mod short;

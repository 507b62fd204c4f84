//! What conditions promise: their two forms, what they mean, and laws over any of them.

mod forms;
mod laws;
mod meaning;

//! The command line: words in, results out. What is done stands in the modules below; here it is parsed, told and turned into an exit
//! code.

pub mod args;
pub mod exit;
pub mod failure;
pub mod human;
pub mod logging;
pub mod output;
pub mod table;

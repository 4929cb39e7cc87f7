//! The program as people have it: the real binary, its arguments, files and signals in, text and exit codes out.

mod again;
mod bench;
mod broken;
mod explained;
mod history;
mod inputs;
mod json;
mod keep;
mod keys;
mod killed;
mod kills;
mod live;
mod models;
mod path;
mod pipelines;
mod probation;
mod recordings;
mod refused;
mod relay;
mod report;
mod same;
mod score;
mod seen;
mod tensors;
mod verify;
mod walk;

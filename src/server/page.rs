//! The page for people: everything in one file, nothing from elsewhere.

pub const PAGE: &str = include_str!("page.html");

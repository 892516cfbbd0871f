//! The rows that endpoints answer with, and how the items behind them are read.

pub mod event_row;
pub mod events;
pub mod indexed;
pub mod pages;
pub mod picked;
pub mod sessions;
pub mod visitor_events;
pub mod visitors;

pub use event_row::EventRow;
pub use pages::PageRow;
pub use sessions::SessionRow;
pub use visitors::VisitorRow;

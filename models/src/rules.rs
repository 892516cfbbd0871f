//! The rules that the protocols rest on. A test breaks each of them, and the exploration has to find what goes wrong.

/// One rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// A block is put on the condition that nobody put it since it was read.
    BlocksAreConditional,
    /// The manifest is put on the condition that no round was begun since it was read.
    ManifestIsConditional,
    /// A round is not merged into a block that has its number.
    BlocksCarryTheirRound,
    /// A round lists no segments that another one lists.
    RoundsListTheRest,
    /// A round's segments are listed before the first of them is merged.
    ListedBeforeMerged,
    /// Merged segments stay for as long as a request takes.
    MergedSegmentsStay,
    /// Merged segments are removed before the manifest forgets their round.
    RemovedBeforeForgotten,
    /// Only a segment is replaced that could be removed.
    OnlyOverIsReplaced,
    /// A compactor removes the segment that it read, and not one that has been stored in its place.
    RemovesWhatItRead,
    /// A reader starts over when it finds a block of a later round than its tail's.
    ReadersAgree,
    /// A rebuild marks a visitor at the revision at which it counted it.
    MarksAreConditional,
    /// A segment carries the mark of its visitor.
    SegmentsCarryMarks,
    /// A new visitor begins in the generation that is being built.
    NewcomersBeginInTheNewest,
    /// A rebuild that finds a new visitor counted by another one looks at it again.
    NewcomersAreLookedAtAgain,
    /// Compaction merges into the generation that is being built as well.
    BothAreMerged,
    /// Writing the base raises a block's number.
    BasesRaiseTheRound,
    /// The base is added once to a block.
    BasesAreAddedOnce,
    /// A generation is shown once its base is complete.
    ShownWhenComplete,
    /// A generation is shown once no request is under way that began before it was complete.
    ShownAfterGrace,
    /// A generation that is shown no more stays for as long as a request takes.
    GenerationsStay,
    /// So does one that another rebuild replaced.
    OthersGenerationsStay,
    /// Of two rebuilds that begin at one instant, one knows that it was refused.
    BuildersAreTold,
    /// A rebuild whose generation is shown says no more that it builds it.
    ShownIsNotBuilt,
    /// Only the rebuild that builds a generation shows it.
    ShownByItsBuilder,
    /// A visitor whose mark was refused for the rebuild's own first try is counted.
    OwnMarkIsRecognized,
    /// A writer's own head is no refusal.
    OwnHeadIsRecognized,
    /// A block's parts are written before the head that names them.
    PartsBeforeHead,
    /// A block's parts carry the number of their write.
    PartsAreUnique,
    /// A reader that misses a part starts over.
    ReadersCountParts,
    /// A layer says which round it lies on, so that one is missed that should be between.
    LayersNameWhatTheyLieOn,
    /// A layer of a round that is in the head, or in another layer, does not count.
    OvertakenLayersDontCount,
    /// A merged run is stored before what it replaces goes.
    StoredBeforeRemoved,
    /// Runs that sort before a major one do not count.
    MajorRunsReplace,
    /// No other round goes on while runs become major.
    ExpungedAlone,
    /// Removals are dropped once no reader has a segment with what they remove.
    ExpungedAfterGrace,
    /// A writer whose round is not the hour's last merges nothing.
    LatecomersMergeNothing,
    /// A merged run is stored only where none is.
    MergedRunsAreWrittenOnce,
}

/// The rules, all of them or all but one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    broken: Option<Rule>,
}

impl Rules {
    /// All of them.
    pub const ALL: Rules = Rules { broken: None };

    /// All but one.
    pub fn without(rule: Rule) -> Self {
        Rules { broken: Some(rule) }
    }

    /// Whether a rule is kept.
    pub fn keep(self, rule: Rule) -> bool {
        self.broken != Some(rule)
    }
}

"""The page of the reproduction: the usual one, with the paper's figure numbers and its network."""

from __future__ import annotations

from attractory.report import Drawing, Section, Study, sections
from attractory.report.sections import Learning

CREDIT = "The task and the analyses follow C. Jarne (2024), Front. Syst. Neurosci. 18:1269190."
PUBLISHED_MSE = 0.0133  # the author's network after 20 epochs, last step left out
NUMBERED = {  # the figures that the paper has, by the page's own names
    "flip_flop": "figure1_flip_flop",
    "network": "figure2_network",
    "trials": "figure3_trials",
    "connectivity": "figure4_connectivity",
    "spectra": "figure5_spectra",
    "state_space": "figure6_state_space",
    "state_spaces": "figure7_state_spaces",
}


class BesidePublished(Learning):
    """The learning curve beside the error of the published network. (Its training is text only in
    the paper, section 4.)"""

    target = (PUBLISHED_MSE, f"published network, {PUBLISHED_MSE}")


class Numbered(Section):
    """A section whose figures have the paper's numbers in the names of their files."""

    title = ""

    def __init__(self, section: Section) -> None:
        self.section = section
        self.title, self.order, self.template = section.title, section.order, section.template

    def figures(self, study: Study) -> dict[str, Drawing]:
        drawn = self.section.figures(study)
        return {NUMBERED.get(name, name): drawing for name, drawing in drawn.items()}

    def content(self, study: Study) -> dict[str, object] | None:
        return self.section.content(study)


def paper_sections() -> list[Section]:
    """The sections of every page, as the reproduction shows them."""
    usual = sections()
    own = [BesidePublished() if type(each) is Learning else each for each in usual]
    return [Numbered(each) for each in own]

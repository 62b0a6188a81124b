"""Chat templates in the style of those that models ship, written for the tests: every construct those use is in some."""
import template_styles_first  # noqa: F401  (registers its styles)
import template_styles_second  # noqa: F401
from template_style import STYLES  # noqa: F401

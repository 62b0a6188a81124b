"""The register of chat template styles: template_styles.py collects them."""

STYLES = {}


def style(name, source):
    STYLES[name] = source

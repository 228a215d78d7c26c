// By its place, which NODE_PATH tells: Stylelint would look for it from here upwards.
module.exports = {
  extends: require.resolve("stylelint-config-standard"),
  rules: {
    "custom-property-empty-line-before": null,
    "media-feature-range-notation": "prefix",
    "no-descending-specificity": null,
    "selector-class-pattern": "^[a-z]+(-[a-z]+)*(__[a-z]+(-[a-z]+)*)?(--[a-z]+(-[a-z]+)*)?$",
    "selector-id-pattern": null,
  },
};
